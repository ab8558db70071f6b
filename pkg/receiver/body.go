package receiver

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// maxLayers bounds how often a body may be encoded. Two happen in the wild (a proxy
// compresses what the SDK has compressed); more is an attack.
const maxLayers = 3

// acceptedEncodings is what a refusal advises.
const acceptedEncodings = "gzip, deflate, zstd, identity"

// Body undoes the content encodings that the header declares, last first, and then
// gzip that nothing declared: posthog-js posts gzip labelled text/plain.
//
// Encodings listed in own are left for the receiver. Accepted are gzip (also x-gzip),
// deflate (zlib, and the raw deflate that some clients send instead), zstd and
// identity. The result may alias body; it has at most limits.DecodedBytes bytes.
//
// Errors: 415 for another encoding, 400 for a body that is not what was declared, 413
// for one that grows over the limit.
func Body(body []byte, header http.Header, own []string, limits Limits) ([]byte, error) {
	if len(body) > limits.BodyBytes {
		return nil, BodyTooLarge(limits)
	}
	layers, err := declared(header, own)
	if err != nil {
		return nil, err
	}
	for _, undo := range slices.Backward(layers) {
		if body, err = undo(body, limits.DecodedBytes); err != nil {
			return nil, err
		}
	}
	for range maxLayers - len(layers) {
		if !IsGzip(body) {
			break
		}
		if body, err = Gunzip(body, limits); err != nil {
			return nil, err
		}
	}
	if len(body) > limits.DecodedBytes {
		return nil, tooLargeDecoded("identity", limits.DecodedBytes)
	}
	return body, nil
}

// BodyTooLarge refuses a body over the limit as it arrives.
func BodyTooLarge(limits Limits) *Error {
	return TooLarge("body is over the limit of %d bytes (limit body_bytes)", limits.BodyBytes)
}

func tooLargeDecoded(encoding string, limit int) *Error {
	return TooLarge("body is over the limit of %d bytes after %s is undone (limit decoded_bytes)", limit, encoding)
}

// declared reads the Content-Encoding fields, in the order the encodings were applied.
func declared(header http.Header, own []string) ([]undoFunc, error) {
	var layers []undoFunc
	for _, field := range header.Values("Content-Encoding") {
		for name := range strings.SplitSeq(field, ",") {
			name = strings.ToLower(strings.TrimSpace(name))
			if name == "" || name == "identity" || slices.Contains(own, name) {
				continue
			}
			undo, known := encodingOf(name)
			if !known {
				return nil, Unsupported("Content-Encoding %q is not supported; accepted are %s", Excerpt(name), acceptedEncodings)
			}
			if layers = append(layers, undo); len(layers) > maxLayers {
				return nil, Unsupported("more than %d content encodings", maxLayers)
			}
		}
	}
	return layers, nil
}

// undoFunc undoes one content encoding, within limit bytes.
type undoFunc func(body []byte, limit int) ([]byte, error)

func encodingOf(name string) (undo undoFunc, known bool) {
	switch name {
	case "gzip", "x-gzip":
		return gunzip, true
	case "deflate":
		return inflate, true
	case "zstd":
		return unzstd, true
	}
	return nil, false
}

// IsGzip says whether a body starts like gzip. No JSON and no form does.
func IsGzip(body []byte) bool {
	return len(body) > 2 && body[0] == 0x1f && body[1] == 0x8b
}

// Gunzip undoes gzip within limits.DecodedBytes.
func Gunzip(body []byte, limits Limits) ([]byte, error) { return gunzip(body, limits.DecodedBytes) }

func gunzip(body []byte, limit int) ([]byte, error) {
	if !IsGzip(body) {
		return nil, Malformed("body is not gzip as declared: it starts with % x", head(body))
	}
	r := gzipReaders.Get().(*gzipReader) //nolint:forcetypeassert // the pool holds nothing else
	defer r.release()
	r.source.Reset(body)
	if err := r.Reset(&r.source); err != nil {
		return nil, broken("gzip", err)
	}
	// The trailer holds the size modulo 2^32. It is a hint only: the sender wrote it.
	hint := binary.LittleEndian.Uint32(body[len(body)-min(4, len(body)):])
	return readAll(r, "gzip", min(int(hint), len(body)*maxHintRatio), limit)
}

func inflate(body []byte, limit int) ([]byte, error) {
	// RFC 9110 means zlib by "deflate"; some clients send the raw stream.
	if r, err := zlib.NewReader(bytes.NewReader(body)); err == nil {
		return readAll(r, "deflate", len(body)*typicalRatio, limit)
	}
	return readAll(flate.NewReader(bytes.NewReader(body)), "deflate", len(body)*typicalRatio, limit)
}

func unzstd(body []byte, limit int) ([]byte, error) {
	r := zstdReaders.Get().(*zstd.Decoder) //nolint:forcetypeassert // the pool holds nothing else
	defer func() {
		_ = r.Reset(nil) // lets go of the body
		zstdReaders.Put(r)
	}()
	if err := r.Reset(bytes.NewReader(body)); err != nil {
		return nil, broken("zstd", err)
	}
	return readAll(r, "zstd", len(body)*typicalRatio, limit)
}

// Sizes for the first allocation: what JSON shrinks to by experience, and how far a
// sender's own word for it is believed.
const (
	typicalRatio = 6
	maxHintRatio = 32
)

// readAll reads what is left of r, at most limit bytes.
func readAll(r io.Reader, encoding string, hint, limit int) ([]byte, error) {
	out := bytes.NewBuffer(make([]byte, 0, min(hint, limit)+bytes.MinRead))
	n, err := out.ReadFrom(io.LimitReader(r, int64(limit)+1))
	if n > int64(limit) {
		return nil, tooLargeDecoded(encoding, limit)
	}
	if err != nil {
		return nil, broken(encoding, err)
	}
	return out.Bytes(), nil
}

func broken(encoding string, err error) *Error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return Malformed("%s body ends too early", encoding)
	}
	return Malformed("%s body is broken: %v", encoding, err)
}

func head(body []byte) []byte { return body[:min(4, len(body))] }

// gzipReader keeps its source, so that it can let go of a body when it is done.
type gzipReader struct {
	gzip.Reader
	source bytes.Reader
}

func (r *gzipReader) release() {
	r.source.Reset(nil)
	gzipReaders.Put(r)
}

// Readers are costly to make (32 KiB windows) and are kept between requests.
var (
	//nolint:gochecknoglobals // a pool is shared on purpose
	gzipReaders = sync.Pool{New: func() any { return new(gzipReader) }}
	//nolint:gochecknoglobals // a pool is shared on purpose
	zstdReaders = sync.Pool{New: func() any {
		// Concurrency 1 decodes in the caller's goroutine: nothing to close, and a
		// frame's window is bounded like the encoders of SDKs bound it.
		r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			panic(fmt.Sprintf("zstd decoder options: %v", err))
		}
		return r
	}}
)

// maxZstdWindow is the window every decoder must support. Source: RFC 8878, 3.1.1.1.2.
const maxZstdWindow = 8 << 20
