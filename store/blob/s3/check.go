package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/minio/minio-go/v7"

	"picora/store/blob"
)

// Check writes an object, reads it and a part of it, and deletes it: what the start of the
// server does, so that a setting that is wrong is named before somebody's upload fails.
func (s *Store) Check(ctx context.Context) error {
	name := s.o.Prefix + "check-" + rand.Text()
	text := []byte("Picora looks whether it can write here, and read, and delete.")
	if _, err := s.client.PutObject(ctx, s.o.Bucket, name, bytes.NewReader(text), int64(len(text)), "", "", s.options()); err != nil {
		return s.advise("write", err)
	}
	for _, part := range [][2]int{{0, len(text)}, {7, 12}} {
		var o minio.GetObjectOptions
		if part[1] < len(text) {
			o.Set("Range", byteRange(int64(part[0]), int64(part[1])-1))
		}
		r, _, _, err := s.client.GetObject(ctx, s.o.Bucket, name, o)
		if err != nil {
			return s.advise("read", err)
		}
		got, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			return s.advise("read", err)
		}
		if !bytes.Equal(got, text[part[0]:part[1]]) {
			return fmt.Errorf("s3: the bucket %s does not give back what was written: %d bytes instead of %d (is the service one that knows ranges?)", s.o.Bucket, len(got), part[1]-part[0])
		}
	}
	if err := s.client.RemoveObject(ctx, s.o.Bucket, name, minio.RemoveObjectOptions{}); err != nil {
		return s.advise("delete", err)
	}
	for _, err := range s.List(ctx, "", "") {
		if err != nil {
			return s.advise("list", err)
		}
		break
	}
	return nil
}

// advise says which setting to look at.
func (s *Store) advise(doing string, err error) error {
	r := minio.ToErrorResponse(err)
	switch r.Code {
	case "InvalidAccessKeyId", "InvalidAccessKeyID", "XAdminUserNotFound", "NoSuchUser":
		return fmt.Errorf("s3: cannot %s: the service does not know the key %q; look at s3.access_key: %w", doing, s.o.AccessKey, err)
	case "SignatureDoesNotMatch":
		return fmt.Errorf("s3: cannot %s: the secret is not that of the key; look at s3.secret_key (and s3.region): %w", doing, err)
	case "InvalidToken", "ExpiredToken":
		return fmt.Errorf("s3: cannot %s: look at s3.session_token: %w", doing, err)
	case minio.NoSuchBucket:
		return fmt.Errorf("s3: cannot %s: there is no bucket %q; make it, or look at s3.bucket and s3.path_style: %w", doing, s.o.Bucket, err)
	case "AccessDenied", "AllAccessDisabled":
		return fmt.Errorf("s3: cannot %s in the bucket %q: the key may not; it needs GetObject, PutObject, DeleteObject, ListBucket and AbortMultipartUpload (s3.access_key): %w", doing, s.o.Bucket, err)
	case "AuthorizationHeaderMalformed", "PermanentRedirect", "InvalidRegion":
		return fmt.Errorf("s3: cannot %s: the bucket is in another region; look at s3.region: %w", doing, err)
	case "InvalidStorageClass":
		return fmt.Errorf("s3: cannot %s: look at s3.storage_class: %w", doing, err)
	case "InvalidEncryptionAlgorithmError", "KMS.NotFoundException":
		return fmt.Errorf("s3: cannot %s: look at s3.encryption: %w", doing, err)
	case "NotImplemented", "InvalidArgument", "InvalidRequest":
		return fmt.Errorf("s3: cannot %s: the service does not take what was asked; look at s3.encryption and s3.storage_class: %w", doing, err)
	}
	if errors.Is(explain(context.Background(), doing, err), blob.ErrUnavailable) {
		return fmt.Errorf("s3: cannot %s: the service does not answer as S3 at %s; look at s3.endpoint: %w", doing, s.o.Endpoint, err)
	}
	return fmt.Errorf("s3: cannot %s (%s): look at the section s3 of the settings: %w", doing, r.Code, err)
}
