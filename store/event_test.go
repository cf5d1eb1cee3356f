package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"picora/store/kv/memkv"
)

func TestTheAuditLogInPages(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		start := s.Now()
		for n := range 30 {
			if err := s.AddEvent(ctx, Event{Actor: fmt.Sprint(n % 2), Action: "user.banned", Subject: fmt.Sprint(n)}); err != nil {
				t.Fatal(err)
			}
		}
		all := func(q EventQuery) (subjects []string) {
			for q.Limit = 4; ; {
				list, next, err := s.Events(ctx, q)
				if err != nil || next != "" && len(list) == 0 {
					t.Fatal(list, next, err)
				}
				for _, e := range list {
					subjects = append(subjects, e.Subject)
				}
				if q.After = next; next == "" {
					return subjects
				}
			}
		}
		if got := all(EventQuery{}); len(got) != 30 || got[0] != "29" || got[29] != "0" {
			t.Errorf("%v", got)
		}
		if got := all(EventQuery{Actor: "1"}); len(got) != 15 || got[0] != "29" || got[14] != "1" {
			t.Errorf("%v", got)
		}
		// The clock of these tests moves 7 ms at a reading.
		if got := all(EventQuery{From: start.Add(7 * 11 * time.Millisecond), To: start.Add(7 * 14 * time.Millisecond)}); fmt.Sprint(got) != "[12 11 10]" {
			t.Errorf("%v", got)
		}
		n, err := s.DeleteEvents(ctx, start.Add(7*11*time.Millisecond))
		if got := all(EventQuery{}); err != nil || n != 10 || len(got) != 20 || got[19] != "10" {
			t.Errorf("%d deleted, %v; %v", n, err, got)
		}
	})
}

func TestManyOldLinesAreDeletedInPortions(t *testing.T) {
	s := open(t, memkv.New())
	for range 1203 {
		if err := s.AddEvent(t.Context(), Event{Action: "user.banned"}); err != nil {
			t.Fatal(err)
		}
	}
	keep := s.Now()
	if err := s.AddEvent(t.Context(), Event{Action: "user.unbanned"}); err != nil {
		t.Fatal(err)
	}
	n, err := s.DeleteEvents(t.Context(), keep)
	list, _, e := s.Events(t.Context(), EventQuery{Limit: 9})
	if err != nil || e != nil || n != 1203 || len(list) != 1 {
		t.Errorf("%d deleted, %v; %d left, %v", n, err, len(list), e)
	}
}

func TestALineOfTheAuditLogIsBounded(t *testing.T) {
	s := open(t, memkv.New())
	detail := map[string]string{"reason": strings.Repeat("ö", 40_000)}
	if err := s.AddEvent(t.Context(), Event{Action: "user.banned", Agent: strings.Repeat("x", 16_000), Detail: detail}); err != nil {
		t.Fatal(err)
	}
	list, _, err := s.Events(t.Context(), EventQuery{Limit: 1})
	if err != nil || len(list[0].Agent) != 256 || list[0].Detail["reason"] != strings.Repeat("ö", 500) {
		t.Errorf("%+v, %v", list, err)
	}
	if len(detail["reason"]) != 80_000 {
		t.Error("the caller's map was changed")
	}
}
