package library

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picora/app/config"
	"picora/store"
	"picora/store/blob"
	"picora/store/blob/disk"
	"picora/store/kv"
	"picora/store/kv/memkv"
)

// shelf is a library on a real disk, with its mark file.
type shelf struct {
	*Library
	t     *testing.T
	blobs *disk.Store
	mark  string
	owner string // of the videos that are taken; empty: somebody who has no account
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	dir := t.TempDir()
	b, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	s, err := store.Open(t.Context(), memkv.New(), filepath.Join(dir, "backups"))
	if err != nil {
		t.Fatal(err)
	}
	return &shelf{New(s, b, config.Default().Upload, 0), t, b, filepath.Join(dir, "settled"), ""}
}

// put stores a blob that was begun at the time, and returns its key.
func (s *shelf) put(at time.Time) string {
	s.t.Helper()
	key := blob.NewKey(at)
	if _, err := s.blobs.Put(context.Background(), key, strings.NewReader(key)); err != nil {
		s.t.Fatal(err)
	}
	return key
}

// record writes the record of a blob, and returns its id.
func (s *shelf) record(key string) string {
	s.t.Helper()
	m, fresh, err := s.store.CreateMedia(context.Background(), store.Media{
		ID: store.NewID(store.ImageIDLen), User: "u", Kind: store.Image, Blob: key, Hash: []byte(strings.Repeat(key, 2))[:32],
	})
	if err != nil || !fresh {
		s.t.Fatal(fresh, err)
	}
	return m.ID
}

func (s *shelf) there(key string) bool {
	s.t.Helper()
	_, err := s.blobs.Stat(context.Background(), key)
	if err != nil && !errors.Is(err, blob.ErrNotFound) {
		s.t.Fatal(err)
	}
	return err == nil
}

func (s *shelf) sweep(start time.Time, want int) {
	s.t.Helper()
	if n, err := s.Sweep(context.Background(), s.mark, start); err != nil || n != want {
		s.t.Errorf("Sweep deleted %d, %v; want %d", n, err, want)
	}
}

// at reads the mark.
func (s *shelf) at() time.Time {
	s.t.Helper()
	m, token, err := readMark(s.mark)
	if err != nil || token == "" {
		s.t.Fatalf("the mark: %q %v", token, err)
	}
	return m
}

// setMark writes a mark as a process would that ran then.
func (s *shelf) setMark(at time.Time) {
	s.t.Helper()
	token := store.NewID(store.IDLen)
	if err := s.store.PutSetting(context.Background(), tokenSetting, []byte(token)); err != nil {
		s.t.Fatal(err)
	}
	if err := writeMark(s.mark, at, token); err != nil {
		s.t.Fatal(err)
	}
}

func TestASweepDeletesWhatACrashLeftAndNothingElse(t *testing.T) {
	s := newShelf(t)
	start := time.Now()
	mark := start.Add(-time.Hour)
	s.setMark(mark)
	known, trashed := s.put(mark.Add(time.Minute)), s.put(mark.Add(2*time.Minute))
	s.record(known)
	if _, err := s.Remove(t.Context(), "u", s.record(trashed)); err != nil {
		t.Fatal(err)
	}
	keep := map[string]string{
		"a blob with a record":                             known,
		"a blob in the trash":                              trashed,
		"a blob from long before the mark, whoever it was": s.put(mark.Add(-time.Minute)),
		"a blob of an upload that runs":                    s.put(start.Add(time.Millisecond)),
		"a blob of an upload that runs later":              s.put(start.Add(time.Hour)),
	}
	lose := map[string]string{
		"an orphan":                       s.put(mark.Add(3 * time.Minute)),
		"an orphan just after the mark":   s.put(mark.Add(time.Millisecond)),
		"an orphan just before the start": s.put(start.Add(-time.Millisecond)),
	}
	s.sweep(start, len(lose))
	for name, key := range keep {
		if !s.there(key) {
			t.Errorf("%s is gone", name)
		}
	}
	for name, key := range lose {
		if s.there(key) {
			t.Errorf("%s is still there", name)
		}
	}
	if !s.at().Equal(start) {
		t.Errorf("the mark is at %s, want the start, %s", s.at(), start)
	}
	s.sweep(start, 0)
}

func TestWithoutAMarkASweepDeletesNothing(t *testing.T) {
	for _, content := range []string{"", "\x00\x00\x00", "yesterday\n"} {
		s := newShelf(t)
		if content != "" {
			if err := os.WriteFile(s.mark, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		orphan := s.put(start.Add(-time.Minute))
		s.sweep(start, 0)
		if !s.there(orphan) {
			t.Errorf("with the mark %q a blob was deleted", content)
		}
		if !s.at().Equal(start) {
			t.Errorf("the mark is at %s", s.at())
		}
	}
}

func TestAMarkOfAnotherDatabaseDeletesNothing(t *testing.T) {
	s := newShelf(t)
	start := time.Now()
	s.setMark(start.Add(-time.Hour))
	if err := s.store.PutSetting(t.Context(), tokenSetting, []byte(store.NewID(store.IDLen))); err != nil {
		t.Fatal(err)
	}
	orphan := s.put(start.Add(-time.Minute))
	s.sweep(start, 0)
	if !s.there(orphan) {
		t.Error("a blob was deleted that an older database does not know")
	}
}

func TestACrashBetweenTheTwoPlacesOfTheTokenIsCleanedUp(t *testing.T) {
	s := newShelf(t)
	s.sweep(time.Now(), 0)
	before, err := os.ReadFile(s.mark)
	if err != nil {
		t.Fatal(err)
	}
	s.sweep(time.Now(), 0)
	if err := os.WriteFile(s.mark, before, 0o600); err != nil { // the last write of the file was lost
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond)
	orphan := s.put(time.Now())
	time.Sleep(2 * time.Millisecond)
	s.sweep(time.Now(), 1)
	if s.there(orphan) {
		t.Error("the orphan is still there")
	}
}

func TestTheMarkNeverPassesAnUploadUnderWay(t *testing.T) {
	s := newShelf(t)
	if err := s.Settle(s.mark); err != nil {
		t.Fatal(err)
	}
	s.token = "x" // as after a sweep
	if err := s.Settle(s.mark); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.mark); err == nil {
		t.Error("a mark was written though nothing had happened")
	}
	first := s.intakes.begin(0)
	time.Sleep(5 * time.Millisecond)
	second := s.intakes.begin(0)
	s.intakes.end(second)
	for range 2 { // as long as it runs
		time.Sleep(5 * time.Millisecond)
		if err := s.Settle(s.mark); err != nil {
			t.Fatal(err)
		}
		if s.at().After(blob.Time(first)) {
			t.Errorf("the mark is at %s, an upload runs since %s", s.at(), blob.Time(first))
		}
	}
	s.intakes.end(first)
	before := time.Now()
	if err := s.Settle(s.mark); err != nil {
		t.Fatal(err)
	}
	if s.at().Before(before) {
		t.Errorf("nothing runs, yet the mark is at %s", s.at())
	}
	last := s.at()
	time.Sleep(2 * time.Millisecond)
	if err := s.Settle(s.mark); err != nil || !s.at().Equal(last) {
		t.Errorf("nothing happened, yet the mark moved to %s: %v", s.at(), err)
	}
}

// The crash: the blob is there, its record is not, and the mark was moved in
// between.
func TestACrashBetweenBlobAndRecordIsCleanedUp(t *testing.T) {
	s := newShelf(t)
	s.sweep(time.Now(), 0)
	key := s.intakes.begin(0)
	if _, err := s.blobs.Put(t.Context(), key, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	if err := s.Settle(s.mark); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond)
	s.sweep(time.Now(), 1)
	if s.there(key) {
		t.Error("the orphan is still there")
	}
}

func TestTheTrashIsEmptied(t *testing.T) {
	s := newShelf(t)
	var ids, keys []string
	for range 300 { // more than a batch
		key := s.put(time.Now())
		keys, ids = append(keys, key), append(ids, s.record(key))
	}
	kept := s.put(time.Now())
	s.record(kept)
	var dropped []string
	s.OnEdit(func(id string) { dropped = append(dropped, id) })
	gone, err := s.Remove(t.Context(), "u", append([]string{"AAAAAAAAAAA", ids[0]}, ids...)...)
	if err != nil || len(gone) != len(ids) || len(dropped) != len(ids) {
		t.Fatalf("removed %d, told %d, %v", len(gone), len(dropped), err)
	}
	select {
	case <-s.Trashed:
	default:
		t.Error("nobody was told that there is trash")
	}
	if again, err := s.Remove(t.Context(), "u", ids...); err != nil || len(again) != 0 {
		t.Errorf("removed again: %d %v", len(again), err)
	}
	if foreign, err := s.Remove(t.Context(), "another", ids...); err != nil || len(foreign) != 0 {
		t.Errorf("removed by another: %d %v", len(foreign), err)
	}
	if n, err := s.EmptyTrash(t.Context()); err != nil || n != len(ids) {
		t.Errorf("EmptyTrash: %d %v", n, err)
	}
	for _, key := range keys {
		if s.there(key) {
			t.Fatalf("the blob %s is still there", key)
		}
	}
	if !s.there(kept) {
		t.Error("a blob with a record was deleted")
	}
	if n, err := s.EmptyTrash(t.Context()); err != nil || n != 0 {
		t.Errorf("EmptyTrash again: %d %v", n, err)
	}
}

// lying is a database whose commits land and are then said to have failed, as
// when the last sync of a commit fails.
type lying struct {
	kv.DB
	lies bool
}

func (l *lying) Update(ctx context.Context, fn func(kv.Tx) error) error {
	err := l.DB.Update(ctx, fn)
	if err == nil && l.lies {
		return errors.New("sync failed")
	}
	return err
}

func TestABlobStaysWhenItsRecordMayHaveBeenWritten(t *testing.T) {
	s := newShelf(t)
	db := &lying{DB: memkv.New()}
	records, err := store.Open(t.Context(), db, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s.Library = New(records, s.blobs, config.Default().Upload, 0)
	db.lies = true
	m := store.Media{User: "u", Kind: store.Image, Blob: s.put(time.Now()), Hash: []byte(strings.Repeat("h", 32))}
	if _, _, err := s.Library.record(t.Context(), m); err == nil {
		t.Fatal("the failed commit went unnoticed")
	}
	if known, _ := records.HasBlob(t.Context(), m.Blob); !known || !s.there(m.Blob) {
		t.Errorf("record %v, blob %v", known, s.there(m.Blob))
	}
}

func TestABlobThatCannotBeDeletedDoesNotKeepTheOthers(t *testing.T) {
	s := newShelf(t)
	var keys, ids []string
	for range 4 {
		key := s.put(time.Now())
		keys, ids = append(keys, key), append(ids, s.record(key))
	}
	if _, err := s.Remove(t.Context(), "u", ids...); err != nil {
		t.Fatal(err)
	}
	// A folder with something in it stands where the first blob was.
	path := filepath.Join(filepath.Dir(s.mark), "blobs", keys[0][:4], keys[0][4:6], keys[0])
	if err := errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "in the way"), 0o700)); err != nil {
		t.Fatal(err)
	}
	n, err := s.EmptyTrash(t.Context())
	if err == nil || n != 3 {
		t.Errorf("deleted %d, %v; want 3 and an error", n, err)
	}
	for _, k := range keys[1:] {
		if s.there(k) {
			t.Errorf("%s is still there", k)
		}
	}
	if left, _ := s.store.Trash(t.Context(), "", 10); len(left) != 1 || left[0] != keys[0] {
		t.Errorf("in the trash: %v", left)
	}
}

func TestRoomIsKeptForUploadsUnderWay(t *testing.T) {
	s := newShelf(t)
	free, err := s.blobs.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key := s.intakes.begin(free / 2)
	if s.Room(t.Context(), free/4) != nil || s.Room(t.Context(), free*3/4) == nil {
		t.Error("half the disk is promised: a quarter more must fit, three quarters must not")
	}
	s.intakes.arrived(key, free/2)
	if s.Room(t.Context(), free*3/4) != nil {
		t.Error("what has arrived is counted twice")
	}
	s.intakes.end(key)
}
