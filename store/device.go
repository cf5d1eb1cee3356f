package store

import (
	"bytes"
	"context"

	"picora/store/kv"
)

// maxDevices bounds the kinds of devices that are remembered of one user.
const maxDevices = 100

// SeenDevice notes that the user signed in on such a device, a SHA-256 of what tells it
// from others. It reports whether they had before, and whether on any device.
func (s *Store) SeenDevice(ctx context.Context, user string, device []byte) (before, any bool, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		before, err = has(tx, keyDevice(user, device))
		return err
	})
	if err != nil || before {
		return before, before, err
	}
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		var known [][]byte
		for e, err := range tx.Scan(kv.Prefix(keyDevice(user, nil))) {
			if err != nil {
				return err
			}
			known = append(known, bytes.Clone(e.Key))
		}
		any = len(known) > 0
		if len(known) >= maxDevices { // nobody has so many: forget them, at the price of a few alerts
			for _, k := range known {
				if err := tx.Delete(k); err != nil {
					return err
				}
			}
		}
		return tx.Put(keyDevice(user, device), []byte(timeKey(s.Now())))
	})
	return false, any, err
}
