// Package s3 keeps blobs in a bucket of S3 or any service that speaks its API.
//
//	<prefix>blobs/<key>   what is stored
//	<prefix>check-<id>    what Check writes, reads and deletes
//
// What is stored is there when Put returns, in one piece: an object appears when its
// upload is complete, never before. Uploads that were not completed are aborted; what a
// crash leaves of them, Sweep aborts.
package s3

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"picora/store/blob"
)

// Options say where the bucket is and how objects are kept in it.
type Options struct {
	Endpoint string // host, or host:port
	TLS      bool
	Region   string // empty: asked
	Bucket   string
	Prefix   string // of all names, such as "picora/"; may be empty

	AccessKey, SecretKey, SessionToken string

	PathStyle    bool   // the bucket's name in the path, not in the host
	Encryption   string // empty, "AES256" (SSE-S3), or "aws:kms" with a key's id behind a colon if not the default
	StorageClass string // empty: the bucket's

	// Public is where clients find the service, https://host or http://host:port, when that
	// is not at Endpoint. It is for Presign, and needs Region: nothing is asked there.
	Public string

	transport http.RoundTripper // of tests; nil: minio's
}

// Store keeps blobs in a bucket.
type Store struct {
	client minio.Core
	public *minio.Client // makes addresses for clients
	o      Options
	sse    encrypt.ServerSide

	mu   sync.Mutex
	puts map[string]bool // keys that are being stored

	// slots bounds the memory of uploads: one for each part that is being sent.
	slots chan struct{}
}

var _ blob.Store = (*Store)(nil)

const (
	// partSize is how many bytes are sent at once. S3 takes 10,000 parts, so a body of
	// unknown length may have 80 GiB.
	partSize = 8 << 20
	maxParts = 10_000
	// partsAtOnce are in memory.
	partsAtOnce = 8
)

// New makes a Store. Nothing is asked of the service before the first call.
func New(o Options) (*Store, error) {
	lookup := minio.BucketLookupDNS // automatic would mean the path for all but a few services
	if o.PathStyle {
		lookup = minio.BucketLookupPath
	}
	if o.transport == nil {
		t, err := transport(o.TLS)
		if err != nil {
			return nil, fmt.Errorf("s3: %w", err)
		}
		o.transport = t
	}
	options := minio.Options{
		Creds:  credentials.NewStaticV4(o.AccessKey, o.SecretKey, o.SessionToken),
		Secure: o.TLS, Region: o.Region, BucketLookup: lookup, MaxRetries: 4, Transport: o.transport,
	}
	client, err := minio.New(o.Endpoint, &options)
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	public := client
	if o.Public != "" {
		if o.Region == "" {
			return nil, errors.New("s3: a public address needs the region")
		}
		scheme, host, _ := strings.Cut(o.Public, "://")
		options.Secure = scheme == "https"
		if public, err = minio.New(host, &options); err != nil {
			return nil, fmt.Errorf("s3: %w", err)
		}
	}
	s := &Store{client: minio.Core{Client: client}, public: public, o: o, puts: map[string]bool{}, slots: make(chan struct{}, partsAtOnce)}
	switch kind, id, _ := strings.Cut(o.Encryption, ":kms"); {
	case o.Encryption == "":
	case o.Encryption == "AES256":
		s.sse = encrypt.NewSSE()
	case kind == "aws":
		if s.sse, err = encrypt.NewSSEKMS(strings.TrimPrefix(id, ":"), nil); err != nil {
			return nil, fmt.Errorf("s3: %w", err)
		}
	default:
		return nil, fmt.Errorf("s3: encryption %q is not AES256, nor aws:kms", o.Encryption)
	}
	return s, nil
}

func (s *Store) name(key string) string { return s.o.Prefix + "blobs/" + key }

// check comes first in every method with a key.
func check(ctx context.Context, key string) error {
	if !blob.ValidKey(key) {
		return fmt.Errorf("%w: %q", blob.ErrKey, key)
	}
	return ctx.Err()
}

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, key string) (blob.Info, error) {
	if err := check(ctx, key); err != nil {
		return blob.Info{}, err
	}
	o, err := s.client.StatObject(ctx, s.o.Bucket, s.name(key), minio.StatObjectOptions{})
	if err != nil {
		return blob.Info{}, explain(ctx, "stat "+key, err)
	}
	return blob.Info{Key: key, Size: o.Size, Modified: o.LastModified.UTC()}, nil
}

// Delete implements blob.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	err := s.client.RemoveObject(ctx, s.o.Bucket, s.name(key), minio.RemoveObjectOptions{})
	if err = explain(ctx, "delete "+key, err); errors.Is(err, blob.ErrNotFound) {
		return nil
	}
	return err
}

// Free implements blob.Store: nobody knows.
func (s *Store) Free(ctx context.Context) (int64, error) { return math.MaxInt64, ctx.Err() }

// explain says what an error of the service means.
func explain(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if e := ctx.Err(); e != nil {
		return fmt.Errorf("s3: %s: %w", doing, e)
	}
	r := minio.ToErrorResponse(err)
	switch {
	case r.Code == minio.NoSuchKey:
		return fmt.Errorf("%w: s3: %s", blob.ErrNotFound, doing)
	case r.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return fmt.Errorf("%w: s3: %s", blob.ErrRange, doing)
	case r.StatusCode == http.StatusInsufficientStorage, r.Code == "QuotaExceeded", r.Code == "XMinioStorageFull", r.Code == "XMinioAdminBucketQuotaExceeded":
		return fmt.Errorf("%w: s3: %s: %w", blob.ErrNoSpace, doing, err)
	}
	// Whatever else it says, it does not do its work now: it is not there, it is busy, or
	// it was set up otherwise.
	return fmt.Errorf("%w: s3: %s: %w", blob.ErrUnavailable, doing, err)
}
