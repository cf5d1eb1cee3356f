package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/tinylib/msgp/msgp"

	"picora/store/kv"
)

// migrations bring a database from each schema version to the next. The list
// only ever grows: the version is its length. A function sees the keys as the
// one before left them, and must not use code that later changes.
var migrations = []func(kv.Tx) error{
	func(kv.Tx) error { return nil }, // 1: the first schema
	unseen,                           // 2: pictures are looked at
	liftLimits,                       // 3: accounts have plans
	listAdmins,                       // 4: administrators are found without reading all accounts
	numberMedia,                      // 5: media have numbers, and more indexes
	nameOwners,                       // 6: blobs of revisions and watermarks lead to those
}

// nameOwners writes as the owners of blobs the whole keys of revisions and watermarks, in
// place of their ids, which led nowhere.
func nameOwners(tx kv.Tx) error {
	const batch = 10_000
	for _, family := range []string{"rv", "wm"} {
		r := kv.Prefix([]byte(family))
		for more := true; more; {
			var owners [][2][]byte // a scan is not written under
			for e, err := range tx.Scan(r) {
				if err != nil {
					return err
				}
				fields, _, err := msgp.ReadMapStrIntfBytes(e.Value, nil)
				if err != nil {
					return fmt.Errorf("%s: %w", e.Key, err)
				}
				blob, _ := fields["blob"].(string)
				owners = append(owners, [2][]byte{[]byte("mb" + blob), bytes.Clone(e.Key)})
				if len(owners) == batch {
					break
				}
			}
			for _, o := range owners {
				if len(o[0]) == len("mb") {
					continue // a text has no blob
				}
				if err := tx.Put(o[0], o[1]); err != nil {
					return err
				}
			}
			if more = len(owners) == batch; more {
				r.From = append(owners[batch-1][1], 0)
			}
		}
	}
	return nil
}

// numberMedia has Open write the indexes of media, see fill.go.
func numberMedia(tx kv.Tx) error { return tx.Put([]byte("vf"), nil) }

// unseen enters all pictures there are into the index of those that nobody has looked
// at. Of an SVG, which is its own preview, that is found out.
func unseen(tx kv.Tx) error {
	const batch, user = 10_000, 21
	r := kv.Prefix([]byte("me"))
	for {
		var keys [][]byte // a scan is not written under
		for e, err := range tx.Scan(r) {
			if err != nil {
				return err
			}
			if keys = append(keys, bytes.Clone(e.Key)); len(keys) == batch {
				break
			}
		}
		for _, k := range keys {
			k = k[len("me"):]
			if err := tx.Put(append([]byte("ml"), k[user:]...), k[:user]); err != nil {
				return err
			}
		}
		if len(keys) < batch {
			return nil
		}
		r.From = append(keys[batch-1], 0)
	}
}

// liftLimits gives the accounts there are what they had before there were plans:
// everything.
func liftLimits(tx kv.Tx) error {
	var ids []string
	for e, err := range tx.Scan(kv.Prefix([]byte("ue"))) {
		if err != nil {
			return err
		}
		ids = append(ids, string(e.Value))
	}
	for _, id := range ids {
		b, err := tx.Get([]byte("us" + id))
		if err != nil {
			return err
		}
		var fields map[string]any
		if fields, _, err = msgp.ReadMapStrIntfBytes(b, nil); err != nil {
			return fmt.Errorf("user %s: %w", id, err)
		}
		fields["plan"], fields["unlimited"], fields["verified"] = "pro_plus", true, true
		if b, err = msgp.AppendMapStrIntf(nil, fields); err != nil {
			return err
		}
		if err := tx.Put([]byte("us"+id), b); err != nil {
			return err
		}
	}
	return nil
}

// listAdmins makes the index of administrators.
func listAdmins(tx kv.Tx) error {
	var ids [][]byte
	for e, err := range tx.Scan(kv.Prefix([]byte("us"))) {
		if err != nil {
			return err
		}
		fields, _, err := msgp.ReadMapStrIntfBytes(e.Value, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Key, err)
		}
		if is, _ := fields["admin"].(bool); is {
			ids = append(ids, bytes.Clone(e.Key[len("us"):]))
		}
	}
	for _, id := range ids {
		if err := tx.Put(append([]byte("ad"), id...), nil); err != nil {
			return err
		}
	}
	return nil
}

// ErrNewer says that a newer Picora wrote the database.
var ErrNewer = errors.New("store: the database was written by a newer Picora")

// migrate runs what list holds beyond db's version, all in one transaction,
// after a copy of a database that holds data went into backups.
func migrate(ctx context.Context, db kv.DB, list []func(kv.Tx) error, backups string) error {
	from, err := version(ctx, db)
	if err != nil {
		return err
	}
	if from > len(list) {
		return fmt.Errorf("%w (schema %d, this program knows %d): start the newer program again, or restore a backup from before the upgrade", ErrNewer, from, len(list))
	}
	if from == len(list) {
		return nil
	}
	if from > 0 {
		if err := backup(ctx, db, filepath.Join(backups, fmt.Sprintf("picora-schema-%d.db", from))); err != nil {
			return fmt.Errorf("store: copy before migration: %w", err)
		}
	}
	return db.Update(ctx, func(tx kv.Tx) error {
		for i, step := range list[from:] {
			if err := step(tx); err != nil {
				return fmt.Errorf("store: migration %d: %w", from+i+1, err)
			}
		}
		return tx.Put(keyVersion, []byte(strconv.Itoa(len(list))))
	})
}

func version(ctx context.Context, db kv.DB) (n int, err error) {
	err = db.View(ctx, func(tx kv.Reader) error {
		b, err := tx.Get(keyVersion)
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		if err == nil {
			n, err = strconv.Atoi(string(b))
		}
		return err
	})
	return n, err
}

// backup copies the whole database to path, which appears only when complete.
func backup(ctx context.Context, db kv.DB, path string) (err error) {
	snap, ok := db.(kv.Snapshotter)
	if !ok {
		return nil // an engine without files has nothing to copy
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = snap.Snapshot(ctx, f)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}
