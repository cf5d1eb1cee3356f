// Package settings holds what an administrator may change while the server runs. The
// configuration file gives the values that hold until somebody changes them.
package settings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
}

// Settings holds the values in force.
type Settings struct {
	store *store.Store
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
	b, err := json.Marshal(live)
	if err != nil {
		return err
	}
	if err := v.store.PutSetting(ctx, name, b); err != nil {
		return err
	}
	v.live.Store(&live)
	return nil
}
