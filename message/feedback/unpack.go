package feedback

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

// unpack gives what a gzip (RFC 1952) or ZIP file holds, or the file itself. Archives in archives stay packed: no report comes so.
func unpack(b []byte) ([][]byte, error) {
	if len(b) > maxPacked {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(b))
	}
	left := maxUnpacked
	switch {
	case bytes.HasPrefix(b, []byte("\x1f\x8b")):
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrForm, err)
		}
		file, err := readUpTo(r, &left)
		return [][]byte{file}, err
	case bytes.HasPrefix(b, []byte("PK\x03\x04")):
		return unzip(b, &left)
	}
	return [][]byte{b}, nil
}

func unzip(b []byte, left *int) (files [][]byte, err error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	if len(z.File) > maxFiles {
		return nil, fmt.Errorf("%w: %d files in it", ErrTooLarge, len(z.File))
	}
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return files, fmt.Errorf("%w: %w", ErrForm, err)
		}
		file, err := readUpTo(r, left)
		_ = r.Close() // it is memory
		if err != nil {
			return files, err
		}
		files = append(files, file)
	}
	return files, nil
}

// readUpTo reads r whole, at most left bytes, and takes them off.
func readUpTo(r io.Reader, left *int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(*left)+1))
	if len(b) > *left {
		return nil, fmt.Errorf("%w: unpacks to more than %d bytes", ErrTooLarge, maxUnpacked)
	}
	*left -= len(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	return b, nil
}
