package usage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/app/config"
	"picora/app/fault"
	"picora/store"
	"picora/store/kv"
	"picora/store/kv/memkv"
)

func start(t testing.TB, edit func(*config.Plan)) (*Usage, *store.Store, store.User) {
	t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, memkv.New(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	plans := config.Default().Plans
	p := plans["pro"]
	edit(&p)
	plans["pro"] = p
	u, err := s.CreateUser(ctx, store.User{Email: "a@example.org", Plan: "pro"})
	if err != nil {
		t.Fatal(err)
	}
	return New(s, plans), s, u
}

func TestLimitsAreThePlansUnlessTheAccountHasOthers(t *testing.T) {
	u, _, _ := start(t, func(*config.Plan) {})
	past, soon := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		account       store.User
		plan          string
		active        bool
		storage, keys int64
	}{
		"trial":                  {store.User{Plan: "trial"}, "trial", true, 100 << 20, 3},
		"pro":                    {store.User{Plan: "pro"}, "pro", true, 5 << 30, 3},
		"pro_plus":               {store.User{Plan: "pro_plus"}, "pro_plus", true, 50 << 30, 10},
		"none":                   {store.User{Plan: "none"}, "none", false, 0, 3},
		"no word":                {store.User{}, "none", false, 0, 3},
		"one that ended":         {store.User{Plan: "pro", PlanEnds: past}, "none", false, 0, 3},
		"one that will end":      {store.User{Plan: "pro", PlanEnds: soon}, "pro", true, 5 << 30, 3},
		"a limit of its own":     {store.User{Plan: "pro", Limits: map[string]int64{"image_storage_bytes": 7}}, "pro", true, 7, 3},
		"a limit lifted":         {store.User{Plan: "pro", Limits: map[string]int64{"api_keys": -5, "of a later version": 1}}, "pro", true, 5 << 30, -1},
		"unlimited":              {store.User{Plan: "pro", Unlimited: true}, "pro", true, -1, -1},
		"unlimited without plan": {store.User{Unlimited: true, PlanEnds: past}, "pro_plus", true, -1, -1},
	} {
		l := u.Limits(c.account)
		if l.Name != c.plan || l.Active != c.active || l.ImageStorageBytes != c.storage || u.APIKeys(c.account) != c.keys {
			t.Errorf("%s: %+v", name, l)
		}
		if err := u.MayWrite(c.account); (err == nil) != c.active {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every sentence about a limit says so early, for clients look for these words, and is
// no riddle.
func TestRefusalsSayWhatTheyAreAbout(t *testing.T) {
	u, _, _ := start(t, func(p *config.Plan) {
		p.ImageStorageBytes, p.ImageUploadsPerDay, p.ImageUploadsPerMonth, p.ImageBandwidthBytes = 5<<30, 10, 20, 5<<30
	})
	pro := store.User{Plan: "pro"}
	for name, c := range map[string]struct {
		st   store.Standing
		code fault.Code
		want string
	}{
		"storage":   {store.Standing{User: pro, Count: [5]store.Count{store.Image: {Bytes: 5<<30 - 100<<20}}}, fault.QuotaExceeded, "Image storage quota exceeded: 4.9 GB of 5 GB used."},
		"a day":     {store.Standing{User: pro, Month: store.Month{Today: 10}}, fault.QuotaExceeded, "Upload quota exceeded: 10 of 10 pictures today."},
		"a month":   {store.Standing{User: pro, Month: store.Month{Uploads: 20}}, fault.QuotaExceeded, "Upload quota exceeded: 20 of 20 pictures this month."},
		"bandwidth": {store.Standing{User: pro, Month: store.Month{Served: 5 << 30}}, fault.QuotaExceeded, "Bandwidth quota exceeded: 5 GB of 5 GB were served this month."},
		"no plan":   {store.Standing{User: store.User{Plan: "none"}}, fault.PlanInactive, "upgrade"},
		"an ended":  {store.Standing{User: store.User{Plan: "pro", PlanEnds: time.Unix(0, 0)}}, fault.PlanInactive, "ended on 1 January 1970"},
	} {
		f, ok := errors.AsType[*fault.Error](u.room(&c.st, store.Image, 200<<20))
		if !ok || f.Code != c.code || !strings.Contains(f.Message, c.want) || !strings.Contains(f.Message, "upgrade") {
			t.Errorf("%s: %v", name, f)
		}
	}
	if err := u.room(&store.Standing{User: pro, Count: [5]store.Count{store.Image: {Bytes: 5<<30 - 200<<20}}, Month: store.Month{Today: 9, Uploads: 19, Served: 5<<30 - 1}}, store.Image, 200<<20); err != nil {
		t.Errorf("what just fits: %v", err)
	}
}

func TestVideoIsForPlansThatHaveIt(t *testing.T) {
	u, s, a := start(t, func(p *config.Plan) { p.VideoFileBytes, p.VideoSeconds = 1000, 60 })
	for name, c := range map[string]struct {
		account func(*store.User)
		bytes   int64
		has     string // of the refusal; empty: it is taken
	}{
		"pro":                  {func(*store.User) {}, 1000, ""},
		"trial":                {func(a *store.User) { a.Plan = "trial" }, 0, "the account's plan has none"},
		"none":                 {func(a *store.User) { a.Plan = "none" }, 0, "the account's plan has none"},
		"a plan that ended":    {func(a *store.User) { a.PlanEnds = time.Unix(0, 0) }, 0, "ended on 1 January 1970"},
		"a limit of their own": {func(a *store.User) { a.Limits = map[string]int64{"video_file_bytes": 7} }, 7, ""},
		"nothing is allowed":   {func(a *store.User) { a.Limits = map[string]int64{"video_seconds": 0} }, 0, "upgrade"},
		"without limits":       {func(a *store.User) { a.Plan, a.Unlimited = "none", true }, -1, ""},
	} {
		if _, err := s.UpdateUser(t.Context(), a.ID, func(x *store.User) error {
			x.Plan, x.PlanEnds, x.Limits, x.Unlimited = "pro", time.Time{}, nil, false
			c.account(x)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		bytes, _, err := u.Video(t.Context(), a.ID)
		f, refused := errors.AsType[*fault.Error](err)
		if bytes != c.bytes || refused != (c.has != "") || refused && (f.Code != fault.PlanRequired || !strings.Contains(f.Message, c.has) || !strings.Contains(f.Message, "upgrade")) {
			t.Errorf("%s: %d, %v", name, bytes, err)
		}
	}
}

func TestNothingIsLostBetweenMetersAndTheRecord(t *testing.T) {
	u, s, a := start(t, func(*config.Plan) {})
	ctx := context.Background()
	for i := range idleMeters + 10 { // so that idle ones are forgotten
		u.Meter(fmt.Sprint("somebody", i), store.Image)
	}
	const each = 20_000
	var wg sync.WaitGroup
	for range 4 {
		m := u.Meter(a.ID, store.Image)
		wg.Go(func() {
			for i := range each {
				m.Add(1)
				if i%5000 == 0 {
					time.Sleep(time.Millisecond) // idle: a flush may forget it
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			u.Flush(ctx)
			for i := range idleMeters + 10 {
				u.Meter(fmt.Sprint("somebody", i), store.Image)
			}
		}
	}
	u.Flush(ctx)
	st, err := s.Standing(ctx, a.ID)
	if err != nil || st.Month.Served != 4*each {
		t.Errorf("%+v %v, want %d", st.Month, err, 4*each)
	}
}

func TestAForgottenMeterStillCounts(t *testing.T) {
	u, s, a := start(t, func(*config.Plan) {})
	m := u.Meter(a.ID, store.Image)
	for i := range idleMeters + 1 {
		u.Meter(fmt.Sprint(i), store.Image)
	}
	u.Flush(context.Background())
	if n := len(u.meters.of); n > idleMeters {
		t.Errorf("%d meters are kept", n)
	}
	for range 3 {
		m.Add(5)
	}
	u.Flush(context.Background())
	if st, _ := s.Standing(context.Background(), a.ID); st.Month.Served != 15 {
		t.Error(st.Month)
	}
}

func TestUsersAreToldOnceThatTheirRoomRunsOut(t *testing.T) {
	u, s, a := start(t, func(p *config.Plan) { p.ImageStorageBytes, p.ImageBandwidthBytes = 100, 100 })
	ctx := context.Background()
	n := byte(0)
	add := func(size int64) error {
		n++
		_, _, err := u.Add(ctx, store.Media{ID: fmt.Sprintf("%011d", n), User: a.ID, Kind: store.Image, Size: size, Hash: append(make([]byte, 31), n), Blob: fmt.Sprint(n)})
		return err
	}
	told := func(want uint8) {
		t.Helper()
		st, err := s.Standing(ctx, a.ID)
		if err != nil || st.Month.Told != want {
			t.Errorf("told %b, want %b (%v)", st.Month.Told, want, err)
		}
	}
	add(79)
	told(0)
	add(1)
	told(storageLow)
	add(1)
	told(storageLow)
	if err := add(50); err == nil {
		t.Error("it fits")
	}
	told(storageLow | storageFull)
	u.Meter(a.ID, store.Image).Add(80)
	u.Flush(ctx)
	told(storageLow | storageFull | bandwidthLow)
	u.Meter(a.ID, store.Image).Add(20)
	u.Flush(ctx)
	told(storageLow | storageFull | bandwidthLow | bandwidthFull)
	if f, _ := errors.AsType[*fault.Error](add(1)); f == nil || f.Meta["type"] != "img_bandwidth_bytes" {
		t.Error(f)
	}
}

func TestUsersAreToldOfTheirRoomInTheirLanguage(t *testing.T) {
	for lang, want := range map[string][]string{
		"en":    {"80 % of your image storage is used", "Your image storage is full", "80 % of your bandwidth", "is used up"},
		"zh-CN": {"图片存储空间已用 80%", "图片存储空间不足", "流量已用 80%", "流量已用完"},
	} {
		u, s, a := start(t, func(p *config.Plan) { p.ImageStorageBytes, p.ImageBandwidthBytes = 100, 100 })
		ctx := context.Background()
		if _, err := s.UpdateUser(ctx, a.ID, func(u *store.User) error { u.Locale = lang; return nil }); err != nil {
			t.Fatal(err)
		}
		for i, size := range []int64{80, 50} { // the second does not fit
			u.Add(ctx, store.Media{ID: fmt.Sprintf("%011d", i), User: a.ID, Kind: store.Image, Size: size, Hash: append(make([]byte, 31), byte(i)), Blob: fmt.Sprint(i)})
		}
		for _, n := range []int64{80, 20} {
			u.Meter(a.ID, store.Image).Add(n)
			u.Flush(ctx)
		}
		list, _, err := s.Notifications(ctx, a.ID, "", 50)
		if err != nil || len(list) != len(want) {
			t.Fatalf("%s: %+v, %v", lang, list, err)
		}
		titles := ""
		for _, n := range list {
			titles += n.Title + "\n"
		}
		for _, w := range want {
			if !strings.Contains(titles, w) {
				t.Errorf("%s: %q lacks %q", lang, titles, w)
			}
		}
	}
}

func TestReservationsAreGivenBackOnce(t *testing.T) {
	u, _, a := start(t, func(p *config.Plan) { p.ImageStorageBytes = 100 })
	ctx := context.Background()
	first, err := u.Reserve(ctx, a.ID, store.Image, 60)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := u.Reserve(ctx, a.ID, store.Image, 60); err == nil {
		t.Error("there is room for both")
	} else {
		second.Release()
	}
	if err := u.MayBegin(ctx, a.ID, store.Image, 41); err == nil {
		t.Error("there is room beside it")
	}
	if err := u.MayBegin(ctx, a.ID, store.Image, 40); err != nil {
		t.Error(err)
	}
	if err := first.Grow(ctx, 101); err == nil {
		t.Error("it grew above the limit")
	}
	if err := first.Grow(ctx, 100); err != nil {
		t.Error(err)
	}
	first.Release()
	first.Release()
	if len(u.reserved) != 0 {
		t.Error(u.reserved)
	}
}

func TestARepairIsInTheAuditLog(t *testing.T) {
	ctx := context.Background()
	db := memkv.New()
	s, err := store.Open(ctx, db, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	u := New(s, config.Default().Plans)
	a, _ := s.CreateUser(ctx, store.User{Email: "a@example.org", Plan: "pro"})
	if _, _, err := u.Add(ctx, store.Media{ID: "a1234567890", User: a.ID, Kind: store.Image, Size: 7, Public: true, Hash: make([]byte, 32), Blob: "b"}); err != nil {
		t.Fatal(err)
	}
	wrong := store.Count{N: 9, Bytes: 1}
	b, _ := wrong.MarshalMsg(nil)
	if err := db.Update(ctx, func(tx kv.Tx) error { return tx.Put([]byte("mc"+a.ID+"\x01"), b) }); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		users, repaired, err := u.Recount(ctx, "", "nightly")
		if err != nil || users != 1 || len(repaired) != want {
			t.Errorf("%d %v %v, want %d", users, repaired, err, want)
		}
	}
	if st, _ := u.Standing(ctx, a.ID); st.Count[store.Image] != (store.Count{N: 1, Public: 1, Bytes: 7}) {
		t.Error(st.Count)
	}
	var events []store.Event
	if err := db.View(ctx, func(tx kv.Reader) error {
		for e, err := range tx.Scan(kv.Prefix([]byte("ev"))) {
			var v store.Event
			if _, err := v.UnmarshalMsg(e.Value); err != nil {
				return err
			}
			events = append(events, v)
			if err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(events) != 1 || events[0].Action != "usage.repaired" || events[0].Via != "nightly" || events[0].Subject != a.ID || events[0].Detail["wasCount"] != "9" || events[0].Detail["count"] != "1" {
		t.Errorf("%+v", events)
	}
}

func TestSizesAreWrittenAsPeopleDo(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1023: "1023 bytes", 1024: "1 KB", 1536: "1.5 KB", 5 << 30: "5 GB", 5261334937: "4.9 GB"} {
		if got := Size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func BenchmarkMeter(b *testing.B) {
	u, _, a := start(b, func(*config.Plan) {})
	m := u.Meter(a.ID, store.Image)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Add(20_000)
		}
	})
}

func BenchmarkMayBegin(b *testing.B) {
	u, _, a := start(b, func(*config.Plan) {})
	b.ReportAllocs()
	for b.Loop() {
		if err := u.MayBegin(context.Background(), a.ID, store.Image, 1<<20); err != nil {
			b.Fatal(err)
		}
	}
}

// failing is a database whose next commits fail.
type failing struct {
	kv.DB
	fails int
}

func (f *failing) Update(ctx context.Context, fn func(kv.Tx) error) error {
	return f.DB.Update(ctx, func(tx kv.Tx) error {
		if err := fn(tx); err != nil || f.fails == 0 {
			return err
		}
		f.fails--
		return errors.New("the disk is full")
	})
}

func TestOfBytesThatAreNotWrittenDownNobodyIsTold(t *testing.T) {
	ctx := context.Background()
	db := &failing{DB: memkv.New()}
	s, err := store.Open(ctx, db, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	plans := config.Default().Plans
	p := plans["pro"]
	p.ImageBandwidthBytes = 100
	plans["pro"] = p
	a, err := s.CreateUser(ctx, store.User{Email: "a@example.org", Plan: "pro"})
	if err != nil {
		t.Fatal(err)
	}
	u := New(s, plans)
	u.Meter(a.ID, store.Image).Add(100)
	for _, want := range []struct {
		fails  int
		served int64
		told   uint8
	}{{1, 0, 0}, {0, 100, bandwidthFull | bandwidthLow}} {
		db.fails = want.fails
		u.Flush(ctx)
		if st, err := s.Standing(ctx, a.ID); err != nil || st.Month.Served != want.served || st.Month.Told != want.told {
			t.Errorf("%+v %v, want %+v", st.Month, err, want)
		}
	}
}
