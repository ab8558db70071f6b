package s3

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"

	"github.com/johannesboyne/gofakes3"
)

// MaxObjectBytes bounds an object or a part of one. S3's own limit is 5 GiB.
const MaxObjectBytes = 256 << 20

// guard keeps from gofakes3 what it would take for something else: ?tagging of an object, for one, would overwrite the object.
type guard struct{ next http.Handler }

func (g guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name := unknownParameter(r.URL.Query()); name != "" {
		refuse(w, http.StatusNotImplemented, gofakes3.ErrNotImplemented,
			"This endpoint does not emulate the request parameter "+name+".")
		return
	}
	size, err := decodeBody(r)
	switch {
	case err != nil:
		refuse(w, http.StatusBadRequest, gofakes3.ErrInvalidArgument, "The request names no length of its body.")
	case size > MaxObjectBytes:
		refuse(w, http.StatusBadRequest, "EntityTooLarge",
			"Your proposed upload exceeds the maximum allowed size of this endpoint, "+strconv.Itoa(MaxObjectBytes)+" bytes.")
	default:
		r.Header.Set("Content-Length", strconv.FormatInt(size, 10)) // where gofakes3 looks for it
		a := &answer{ResponseWriter: w}
		g.next.ServeHTTP(a, r)
		_, _ = a.Write(nil) // a reply without a body has not begun
	}
}

// answer writes the names of user metadata in small letters, as S3 does: boto3 shows them as they come.
type answer struct {
	http.ResponseWriter

	begun bool
}

// WriteHeader begins the reply.
func (a *answer) WriteHeader(status int) {
	a.begun = true
	header := a.Header()
	for name, values := range header {
		if strings.HasPrefix(name, metadataPrefix) {
			delete(header, name)
			header[strings.ToLower(name)] = values
		}
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write begins the reply unless it has begun.
func (a *answer) Write(p []byte) (int, error) {
	if !a.begun {
		a.WriteHeader(http.StatusOK)
	}
	return a.ResponseWriter.Write(p) //nolint:wrapcheck // as if it had been written there
}

// unknownParameter returns a query parameter that chooses or changes an operation in a way that is not emulated.
func unknownParameter(query url.Values) string {
	for name := range query {
		switch name {
		case "delete", "location", "uploads", "uploadId", "partNumber", "x-id",
			"list-type", "prefix", "delimiter", "marker", "max-keys", "continuation-token", "start-after", "fetch-owner", "encoding-type",
			"key-marker", "upload-id-marker", "max-uploads", "part-number-marker", "max-parts":
		default:
			if !strings.HasPrefix(name, "X-Amz-") && !strings.HasPrefix(name, "response-") {
				return name
			}
		}
	}
	return ""
}

// decodeBody takes the aws-chunked coding off a body and returns the length of what is left. The coding is that of HTTP/1.1, with
// signatures as extensions of the chunks and checksums as trailers; neither is checked.
func decodeBody(r *http.Request) (int64, error) {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return max(r.ContentLength, 0), nil
	}
	size, err := strconv.ParseUint(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 62)
	if err != nil {
		return 0, err
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{httputil.NewChunkedReader(r.Body), r.Body}
	r.Header.Del("X-Amz-Content-Sha256")
	withoutChunked(r.Header)
	return int64(size), nil
}

// withoutChunked keeps the other codings of a body: S3 stores those.
func withoutChunked(header http.Header) {
	var codings []string
	for coding := range strings.SplitSeq(header.Get("Content-Encoding"), ",") {
		if coding = strings.TrimSpace(coding); coding != "" && coding != "aws-chunked" {
			codings = append(codings, coding)
		}
	}
	header.Del("Content-Encoding")
	if len(codings) > 0 {
		header.Set("Content-Encoding", strings.Join(codings, ","))
	}
}

func refuse(w http.ResponseWriter, status int, code gofakes3.ErrorCode, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(&gofakes3.ErrorResponse{Code: code, Message: message})
}
