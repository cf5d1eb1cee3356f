// Package settings holds what an administrator may change while the server runs. The
// configuration file gives the values that hold until somebody changes them.
package settings

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"picora/app/config"
	"picora/store"
)

// Live is every setting that needs no restart.
type Live struct {
	// Registration says who may open an account: "closed", "invite" or "open".
	Registration string `json:"registration"`
	// Plan is the plan of new accounts.
	Plan string `json:"plan"`
	// Name is what this server is called; empty: Picora.
	Name string `json:"name"`
}

// Change is what an administrator sets; nil leaves a setting as it is. It is what is
// kept, too: a setting that nobody set follows the configuration.
type Change struct {
	Registration *string `json:"registration,omitempty"`
	Plan         *string `json:"plan,omitempty"`
	Name         *string `json:"name,omitempty"`
}

// over puts c's settings in place of others.
func (c Change) over(live Live) Live {
	put(&live.Registration, c.Registration)
	put(&live.Plan, c.Plan)
	put(&live.Name, c.Name)
	return live
}

func put(to, value *string) {
	if value != nil {
		*to = *value
	}
}

// Settings holds the values in force.
type Settings struct {
	store *store.Store
	mu    sync.Mutex // one change after the other
	set   Change     // all that was ever set
	live  atomic.Pointer[Live]
}

const name = "settings.live"

// Open reads what was set; what was not is as cfg says.
func Open(ctx context.Context, s *store.Store, cfg config.Accounts) (*Settings, error) {
	v := &Settings{store: s}
	b, err := s.Setting(ctx, name)
	if err == nil {
		err = json.Unmarshal(b, &v.set)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("settings: %w", err)
	}
	live := v.set.over(Live{Registration: cfg.Registration, Plan: cfg.Plan})
	v.live.Store(&live)
	return v, nil
}

// Live returns the values in force.
func (v *Settings) Live() Live { return *v.live.Load() }

// Set puts other values in force, all of them, and keeps them.
func (v *Settings) Set(ctx context.Context, live Live) error {
	_, _, err := v.Change(ctx, Change{&live.Registration, &live.Plan, &live.Name})
	return err
}

// Change puts what c sets in force, and keeps it. It returns the values from before, too.
// Two changes at once both count.
func (v *Settings) Change(ctx context.Context, c Change) (old, now Live, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	old = v.Live()
	all := v.set
	all.Registration = cmp.Or(c.Registration, all.Registration)
	all.Plan = cmp.Or(c.Plan, all.Plan)
	all.Name = cmp.Or(c.Name, all.Name)
	b, err := json.Marshal(all)
	if err != nil {
		return old, old, err
	}
	if err := v.store.PutSetting(ctx, name, b); err != nil {
		return old, old, err
	}
	v.set, now = all, c.over(old)
	v.live.Store(&now)
	return old, now, nil
}
