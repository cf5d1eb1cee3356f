package store

import (
	"context"
	"errors"

	"picora/store/kv"
)

// Setting reads the bytes kept under name; ErrNotFound when there are none.
func (s *Store) Setting(ctx context.Context, name string) (value []byte, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		value, err = getKey(tx, keySetting(name))
		return err
	})
	return value, err
}

// PutSetting keeps value under name.
func (s *Store) PutSetting(ctx context.Context, name string, value []byte) error {
	return s.db.Update(ctx, func(tx kv.Tx) error { return tx.Put(keySetting(name), value) })
}

// SettingOnce reads the bytes kept under name, and keeps what fresh makes when
// there are none.
func (s *Store) SettingOnce(ctx context.Context, name string, fresh func() []byte) (value []byte, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		value, err = getKey(tx, keySetting(name))
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		value = fresh()
		return tx.Put(keySetting(name), value)
	})
	return value, err
}
