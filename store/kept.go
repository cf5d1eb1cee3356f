package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"

	"picora/store/kv"
)

// Kept is a blob that a record has, and what is known of its bytes.
type Kept struct {
	Blob string
	// User is the owner's id; empty: nobody knows whose it is.
	User string
	// Role is what it is to its owner: one of the roles below, or the name of the record's
	// part that it is.
	Role string
	// Name is what people know it by: of a file, or of the account.
	Name string
	// Media is the record that has it; nil when that is an account, a watermark or a
	// revision, whose id is ID.
	Media *Media
	ID    string

	Size int64  // bytes; -1: unknown
	Hash []byte // SHA-256 of its bytes; nil: unknown
	// Upload reports whether its bytes are a file as it was uploaded: then the record has
	// their hash. That of others is what they had when they were first looked at.
	Upload bool
}

// What a blob is to its owner, beside the names of parts.
const (
	FileRole      = "file"      // what is delivered of the record
	SourceRole    = "original"  // the file as uploaded, which something else is delivered of
	AvatarRole    = "avatar"    // of an account
	WatermarkRole = "watermark" // the picture of one
	RevisionRole  = "revision"  // a text that a document had before
)

// KeptBlobs lists up to limit blobs that records have, those behind the key after, in the
// order of keys.
func (s *Store) KeptBlobs(ctx context.Context, after string, limit int) (list []Kept, err error) {
	r := kv.Prefix(keyBlobs)
	if after != "" {
		r.From = append(keyBlob(after), 0) // the next possible key
	}
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list = nil
		for e, err := range tx.Scan(r) {
			if err != nil || len(list) == limit {
				return err
			}
			k, err := kept(tx, string(e.Key[len(keyBlobs):]), string(e.Value))
			if err != nil {
				return err
			}
			list = append(list, k)
		}
		return nil
	})
	return list, err
}

// KeptBlob is one of those. ErrNotFound when no record has the blob.
func (s *Store) KeptBlob(ctx context.Context, blob string) (k Kept, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		owner, err := getKey(tx, keyBlob(blob))
		if err != nil {
			return err
		}
		k, err = kept(tx, blob, string(owner))
		return err
	})
	return k, err
}

// kept finds out what is known of a blob that the owner has.
func kept(tx kv.Reader, blob, owner string) (k Kept, err error) {
	k = Kept{Blob: blob, ID: owner, Size: -1}
	err = k.find(tx, owner)
	if err != nil && !errors.Is(err, ErrNotFound) { // a blob whose owner is not there is kept all the same
		return k, err
	}
	if k.Upload {
		return k, nil
	}
	sum, err := getKey(tx, keySum(blob))
	if errors.Is(err, ErrNotFound) || err == nil && len(sum) != 8+32 {
		return k, nil
	}
	if err == nil {
		k.Hash = sum[8:]
		if k.Size < 0 {
			k.Size = int64(binary.BigEndian.Uint64(sum))
		}
	}
	return k, err
}

// find looks for the owner. Revisions and watermarks are named by their whole keys.
func (k *Kept) find(tx kv.Reader, owner string) error {
	m, err := anyMedia(tx, owner)
	if err == nil {
		k.describe(&m)
		return nil
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	var u User
	if err := get(tx, keyUser(owner), &u); err == nil {
		k.User, k.Role, k.Name = u.ID, AvatarRole, u.Email
		return nil
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	switch {
	case strings.HasPrefix(owner, "rv"):
		var r Revision
		err = get(tx, []byte(owner), &r)
		k.User, k.ID, k.Role, k.Name, k.Size = r.User, r.ID, RevisionRole, r.Title, r.Size
	case strings.HasPrefix(owner, "wm"):
		var w Watermark
		err = get(tx, []byte(owner), &w)
		k.User, k.ID, k.Role, k.Name = w.User, w.ID, WatermarkRole, w.Name
	}
	return err
}

// describe says what the blob is to the record.
func (k *Kept) describe(m *Media) {
	k.User, k.ID, k.Name, k.Media = m.User, m.ID, m.Name(), m
	switch {
	case k.Blob == m.Source:
		k.Role, k.Size, k.Hash, k.Upload = SourceRole, m.Size, m.Hash, true
	case k.Blob == m.Blob:
		k.Role, k.Size = FileRole, m.BlobSize
		if m.verbatim() {
			k.Hash, k.Upload = m.Hash, true
		}
	default:
		for _, p := range m.Parts {
			if p.Blob == k.Blob {
				k.Role, k.Size = p.Name, p.Size
			}
		}
	}
	if k.Size == 0 { // nothing empty is kept: nobody noted it
		k.Size = -1
	}
}

// verbatim reports whether the record's Blob is the file as it was uploaded: of texts
// embedded pictures may have been taken out, and drawings are cleaned.
func (m *Media) verbatim() bool {
	return m.Source == "" && m.BlobSize == m.Size && m.MIME != "image/svg+xml" && (m.Kind != Doc || m.Text.Format == "pdf")
}

// anyMedia finds a record by id, in the trash, too.
func anyMedia(tx kv.Reader, id string) (Media, error) {
	m, err := mediaByID(tx, id)
	if !errors.Is(err, ErrNotFound) {
		return m, err
	}
	at, err := getKey(tx, keyTrashID(id))
	if err == nil {
		err = get(tx, keySpot(string(at), id), &m)
	}
	return m, err
}

// NoteSum keeps what the bytes of a blob are: what they are looked at for later. It does
// nothing when no record has the blob any more.
func (s *Store) NoteSum(ctx context.Context, blob string, size int64, hash []byte) error {
	return s.db.Update(ctx, func(tx kv.Tx) error {
		if kept, err := has(tx, keyBlob(blob)); err != nil || !kept {
			return err
		}
		return tx.Put(keySum(blob), append(binary.BigEndian.AppendUint64(nil, uint64(size)), hash...))
	})
}

// Twins lists blobs whose bytes should be those of the file that was uploaded with that
// hash, of records of anybody's, in the trash, too.
func (s *Store) Twins(ctx context.Context, hash []byte, limit int) (list []Kept, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list = nil
		for e, err := range tx.Scan(kv.Prefix(keyUsers)) {
			if err != nil {
				return err
			}
			prefix := mediaOfHash(string(e.Key[len(keyUsers):]), hash)
			for e, err := range tx.Scan(kv.Prefix(prefix)) {
				if err != nil || len(list) >= limit {
					return err
				}
				m, err := mediaByID(tx, string(e.Key[len(prefix)+1:]))
				if err != nil {
					return err
				}
				list = append(list, uploadOf(&m)...)
			}
		}
		return trashedTwins(tx, hash, limit, &list)
	})
	return list, err
}

// trashedTwins adds those in the trash, which has no index of hashes.
func trashedTwins(tx kv.Reader, hash []byte, limit int, list *[]Kept) error {
	for e, err := range tx.Scan(kv.Prefix(key("tm"))) {
		if err != nil || len(*list) >= limit {
			return err
		}
		if !bytes.Contains(e.Value, hash) { // this is quicker than to decode them all
			continue
		}
		var m Media
		if _, err := m.UnmarshalMsg(e.Value); err != nil {
			return err
		}
		if bytes.Equal(m.Hash, hash) {
			*list = append(*list, uploadOf(&m)...)
		}
	}
	return nil
}

// uploadOf is the blob of the record that is the file as it was uploaded, if one is.
func uploadOf(m *Media) []Kept {
	for _, blob := range []string{m.Source, m.Blob} {
		k := Kept{Blob: blob}
		if k.describe(m); blob != "" && k.Upload {
			return []Kept{k}
		}
	}
	return nil
}
