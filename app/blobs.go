package app

import (
	"context"
	"strings"
	"time"

	"picora/app/config"
	"picora/store/blob"
	"picora/store/blob/disk"
	"picora/store/blob/s3"
)

// blobs is a blob store that knows what a crash left in it.
type blobs interface {
	blob.Store
	Sweep(ctx context.Context) (n int, err error)
}

// openBlobs opens what keeps the files.
func openBlobs(ctx context.Context, cfg config.Config) (blobs, error) {
	if cfg.Blobs.Backend == "s3" {
		return openBucket(ctx, &cfg.S3)
	}
	s, err := disk.Open(cfg.Server.Data)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openBucket opens a bucket that Picora can use.
func openBucket(ctx context.Context, c *config.S3) (blobs, error) {
	endpoint, tls := strings.CutPrefix(c.Endpoint, "https://")
	s, err := s3.New(s3.Options{
		Endpoint: strings.TrimPrefix(endpoint, "http://"), TLS: tls, Region: c.Region, Bucket: c.Bucket, Prefix: c.Prefix,
		AccessKey: c.AccessKey, SecretKey: c.SecretKey, SessionToken: c.SessionToken,
		PathStyle: c.PathStyle, Encryption: c.Encryption, StorageClass: c.StorageClass,
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
