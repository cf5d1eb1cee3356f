package storage

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"picora/app/config"
	"picora/app/fault"
	"picora/store/blob"
	"picora/store/blob/disk"
	"picora/store/blob/s3"
)

// A Place is where files are kept: a folder of this machine, or a part of a bucket of the
// service that the section s3 of the settings names.
type Place struct {
	Folder         string // absolute; empty: the bucket
	Bucket, Prefix string
}

// String is the place as commands name it: disk:/folder or s3://bucket/prefix.
func (p Place) String() string {
	if p.Folder != "" {
		return "disk:" + p.Folder
	}
	return "s3://" + p.Bucket + "/" + p.Prefix
}

// Configured is where the settings say that files are.
func Configured(cfg *config.Config) (Place, error) {
	if cfg.Blobs.Backend == "s3" {
		return Place{Bucket: cfg.S3.Bucket, Prefix: cfg.S3.Prefix}, nil
	}
	folder := cfg.Blobs.Folder
	if folder == "" {
		folder = cfg.Server.Data
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return Place{}, fmt.Errorf("blobs.folder: %w", err)
	}
	return Place{Folder: folder}, nil
}

// Parse reads a place that a person names. "disk:" is the data folder, and "s3:" the bucket
// of the settings.
func Parse(text string, cfg *config.Config) (p Place, err error) {
	if folder, ok := strings.CutPrefix(text, "disk:"); ok {
		switch {
		case folder == "":
			p.Folder, err = filepath.Abs(cfg.Server.Data)
		case filepath.IsAbs(folder):
			p.Folder = filepath.Clean(folder)
		default:
			err = fault.New(fault.Invalid, "The folder %q does not begin with a slash: name it as in disk:/srv/files, or disk: for the data folder.", folder)
		}
		return p, err
	}
	if text == "s3:" || text == "s3://" {
		p = Place{Bucket: cfg.S3.Bucket, Prefix: cfg.S3.Prefix}
	} else if rest, ok := strings.CutPrefix(text, "s3://"); ok {
		p.Bucket, p.Prefix, _ = strings.Cut(rest, "/")
		own := p.Bucket == cfg.S3.Bucket && p.Prefix == cfg.S3.Prefix // which need not end in a slash
		if p.Prefix != "" && !strings.HasSuffix(p.Prefix, "/") && !own {
			p.Prefix += "/"
		}
	} else {
		return p, fault.New(fault.Invalid, "%q is no place for files: name one as s3://bucket/prefix or disk:/folder.", text)
	}
	c := cfg.S3
	c.Bucket, c.Prefix = p.Bucket, p.Prefix
	var says []string
	for _, problem := range c.Problems() {
		says = append(says, problem.Error())
	}
	if len(says) > 0 {
		return p, fault.New(fault.Invalid, "The section s3 of the settings is needed for a bucket, and the server started again with it: %s.", strings.Join(says, "; "))
	}
	return p, nil
}

// encode is the place as the database keeps it: the data folder without its name, so that
// it can be moved.
func encode(p Place, cfg *config.Config) string {
	if data, err := filepath.Abs(cfg.Server.Data); err == nil && p.Folder == data {
		return "disk:"
	}
	return p.String()
}

// decode reads what encode wrote.
func decode(text string, cfg *config.Config) (p Place, err error) {
	if rest, ok := strings.CutPrefix(text, "s3://"); ok {
		p.Bucket, p.Prefix, _ = strings.Cut(rest, "/")
		return p, nil
	}
	if folder, ok := strings.CutPrefix(text, "disk:"); ok && folder != "" {
		return Place{Folder: folder}, nil
	} else if !ok {
		return p, fmt.Errorf("storage: the database names the place %q", text)
	}
	p.Folder, err = filepath.Abs(cfg.Server.Data)
	return p, err
}

// advise lists the settings to change so that they say p.
func advise(p Place, cfg *config.Config) (set []string) {
	say := func(key, is, want string) {
		if is != want {
			set = append(set, fmt.Sprintf("%s = %q", key, want))
		}
	}
	if p.Folder == "" {
		say("blobs.backend", cfg.Blobs.Backend, "s3")
		say("s3.bucket", cfg.S3.Bucket, p.Bucket)
		say("s3.prefix", cfg.S3.Prefix, p.Prefix)
		return set
	}
	say("blobs.backend", cfg.Blobs.Backend, "disk")
	if now, err := Configured(&config.Config{Server: cfg.Server, Blobs: config.Blobs{Folder: cfg.Blobs.Folder}}); err != nil || now != p {
		say("blobs.folder", "?", strings.TrimPrefix(encode(p, cfg), "disk:"))
	}
	return set
}

// removal says how to remove what a move left in a place.
func removal(p Place) string {
	if p.Folder != "" {
		return fmt.Sprintf("rm -r '%s'", filepath.Join(p.Folder, "blobs"))
	}
	return fmt.Sprintf("aws s3 rm --recursive 's3://%s/%sblobs/'", p.Bucket, p.Prefix)
}

// opened is a store that knows what a crash left in it.
type opened interface {
	blob.Store
	Sweep(ctx context.Context) (n int, err error)
}

// open opens a place. One that takes uploads is to be tried first; a disk tries itself.
func open(ctx context.Context, p Place, cfg *config.Config, try bool) (opened, error) {
	if p.Folder != "" {
		s, err := disk.Open(p.Folder)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	c := &cfg.S3
	endpoint, tls := strings.CutPrefix(c.Endpoint, "https://")
	s, err := s3.New(s3.Options{
		Endpoint: strings.TrimPrefix(endpoint, "http://"), TLS: tls, Region: c.Region, Bucket: p.Bucket, Prefix: p.Prefix,
		AccessKey: c.AccessKey, SecretKey: c.SecretKey, SessionToken: c.SessionToken,
		PathStyle: c.PathStyle, Encryption: c.Encryption, StorageClass: c.StorageClass,
		Public: strings.TrimSuffix(c.PublicEndpoint, "/"),
	})
	if err != nil || !try {
		return s, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.Check(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// there makes sure that a folder that has files is not the empty place where its disk is
// not mounted.
func there(p Place) error {
	if p.Folder == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(p.Folder, "blobs")); os.IsNotExist(err) {
		return fmt.Errorf("storage: the files are in %s, says the database, and there is no folder blobs (is the disk mounted?): %w", p, fs.ErrNotExist)
	}
	return nil
}
