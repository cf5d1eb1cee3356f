// Package settings holds what an administrator may change while the server runs. The
// configuration file gives the values that hold until somebody changes them.
package settings

import (
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

// Settings holds the values in force.
type Settings struct {
	store *store.Store
	mu    sync.Mutex // one change after the other
	live  atomic.Pointer[Live]
}

const name = "settings.live"

// Open reads what was set; what was not is as cfg says.
func Open(ctx context.Context, s *store.Store, cfg config.Accounts) (*Settings, error) {
	live := Live{Registration: cfg.Registration, Plan: cfg.Plan}
	b, err := s.Setting(ctx, name)
	if err == nil {
		err = json.Unmarshal(b, &live)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("settings: %w", err)
	}
	v := &Settings{store: s}
	v.live.Store(&live)
	return v, nil
}

// Live returns the values in force.
func (v *Settings) Live() Live { return *v.live.Load() }

// Set puts other values in force, and keeps them.
func (v *Settings) Set(ctx context.Context, live Live) error {
	_, _, err := v.Change(ctx, func(l *Live) { *l = live })
	return err
}

// Change puts what edit makes of the values in force, and keeps it. It returns the values
// from before, too. Two changes at once both count.
func (v *Settings) Change(ctx context.Context, edit func(*Live)) (old, now Live, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	old = v.Live()
	now = old
	edit(&now)
	b, err := json.Marshal(now)
	if err != nil {
		return old, old, err
	}
	if err := v.store.PutSetting(ctx, name, b); err != nil {
		return old, old, err
	}
	v.live.Store(&now)
	return old, now, nil
}
