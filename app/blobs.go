package app

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"picora/app/config"
	"picora/store/blob"
	"picora/store/blob/disk"
	"picora/store/blob/hot"
	"picora/store/blob/s3"
)

// blobs is a blob store that knows what a crash left in it.
type blobs interface {
	blob.Store
	Sweep(ctx context.Context) (n int, err error)
}

// bucket is a bucket with its small files at hand.
type bucket struct {
	*hot.Store
	service *s3.Store
}

// Sweep is the service's.
func (b bucket) Sweep(ctx context.Context) (int, error) { return b.service.Sweep(ctx) }

// Presign implements blob.Presigner.
func (b bucket) Presign(ctx context.Context, key, mime, saveAs string, life time.Duration) (string, error) {
	return b.service.Presign(ctx, key, mime, saveAs, life)
}

// openBlobs opens what keeps the files.
func openBlobs(ctx context.Context, cfg config.Config) (blobs, error) {
	if cfg.Blobs.Backend == "s3" {
		service, err := openBucket(ctx, &cfg.S3)
		if err != nil {
			return nil, err
		}
		near, err := hot.Open(service, hot.Options{Folder: filepath.Join(cfg.Server.Data, "hot"), Max: cfg.S3.CacheBytes, MinFree: cfg.Blobs.MinFreeBytes})
		if err != nil {
			return nil, err
		}
		return bucket{near, service}, nil
	}
	s, err := disk.Open(cfg.Server.Data)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openBucket opens a bucket that Picora can use.
func openBucket(ctx context.Context, c *config.S3) (*s3.Store, error) {
	endpoint, tls := strings.CutPrefix(c.Endpoint, "https://")
	s, err := s3.New(s3.Options{
		Endpoint: strings.TrimPrefix(endpoint, "http://"), TLS: tls, Region: c.Region, Bucket: c.Bucket, Prefix: c.Prefix,
		AccessKey: c.AccessKey, SecretKey: c.SecretKey, SessionToken: c.SessionToken,
		PathStyle: c.PathStyle, Encryption: c.Encryption, StorageClass: c.StorageClass, Public: strings.TrimSuffix(c.PublicEndpoint, "/"),
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.Check(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// outside is where clients are led to for files, scheme://host; empty: nowhere.
func outside(ctx context.Context, cfg *config.Config, b blobs) (string, error) {
	p, ok := b.(blob.Presigner)
	if !ok || cfg.S3.Serve != "redirect" {
		return "", nil
	}
	address, err := p.Presign(ctx, blob.NewKey(time.Now()), "", "", time.Minute)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host, nil
}
