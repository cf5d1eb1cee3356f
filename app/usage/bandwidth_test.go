package usage

import (
	"context"
	"testing"
	"time"

	"picora/app/config"
	"picora/store"
)

func TestVideosAreDeliveredSmallAndThenNotAtAllAboveTheBandwidth(t *testing.T) {
	u, _, _ := start(t, func(p *config.Plan) { p.MediaBandwidthBytes = 1000 })
	for name, c := range map[string]struct {
		account store.User
		played  int64
		want    Bandwidth
	}{
		"nothing was played":             {store.User{Plan: "pro"}, 0, Ok},
		"all of it":                      {store.User{Plan: "pro"}, 1000, Ok},
		"a byte more":                    {store.User{Plan: "pro"}, 1001, Degraded},
		"a fifth more":                   {store.User{Plan: "pro"}, 1200, Degraded},
		"and a byte":                     {store.User{Plan: "pro"}, 1201, Suspended},
		"a limit of its own":             {store.User{Plan: "pro", Limits: map[string]int64{"media_bandwidth_bytes": 2000}}, 1201, Ok},
		"a limit that was lifted":        {store.User{Plan: "pro", Limits: map[string]int64{"media_bandwidth_bytes": -1}}, 1 << 60, Ok},
		"an unlimited account":           {store.User{Plan: "pro", Unlimited: true}, 1 << 60, Ok},
		"no plan: what is there is read": {store.User{Plan: "none"}, 1 << 60, Ok},
	} {
		st := store.Standing{User: c.account, Month: store.Month{Played: c.played}}
		if got := u.BandwidthOf(&st); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestABandwidthFollowsWhatIsPlayedWithinSeconds(t *testing.T) {
	u, s, a := start(t, func(p *config.Plan) { p.MediaBandwidthBytes = 1000 })
	ctx, now := context.Background(), time.Now()
	s.Now = func() time.Time { return now }
	is := func(want Bandwidth) {
		t.Helper()
		if got, err := u.Bandwidth(ctx, a.ID); got != want || err != nil {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
	is(Ok)
	u.Meter(a.ID, store.Video).Add(1100) // not yet written down
	is(Ok)
	now = now.Add(bandwidthFor)
	is(Degraded)
	u.Meter(a.ID, store.Audio).Add(200)
	u.Flush(ctx)
	now = now.Add(bandwidthFor)
	is(Suspended)
	now = now.AddDate(0, 1, 0)
	is(Ok)
	if _, err := u.Bandwidth(ctx, "nobody"); err == nil {
		t.Error("nobody has a bandwidth")
	}
}

func TestStatesOfManyAccountsTakeBoundedMemory(t *testing.T) {
	var s states
	for i := range 3 * bandwidthMost {
		s.set(string(rune(i)), state{Ok, time.Now()})
	}
	if len(s.of) > bandwidthMost {
		t.Errorf("%d states are kept", len(s.of))
	}
}
