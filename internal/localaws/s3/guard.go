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
	decodeBody(r)
	unknown := unknownParameter(r.URL.Query())
	switch {
	case unknown != "":
		refuse(w, http.StatusNotImplemented, gofakes3.ErrNotImplemented,
			"This endpoint does not emulate the request parameter "+unknown+".")
	case r.ContentLength > MaxObjectBytes:
		refuse(w, http.StatusBadRequest, "EntityTooLarge",
			"Your proposed upload exceeds the maximum allowed size of this endpoint, "+strconv.Itoa(MaxObjectBytes)+" bytes.")
	default:
		r.Header.Del("Content-Length") // where gofakes3 looks for it
		if r.ContentLength >= 0 {
			r.Header.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
		}
		g.next.ServeHTTP(answer{w}, r)
		answer{w}.lowerNames() // a reply without a body has not begun
	}
}

// answer writes the names of user metadata in small letters, as S3 does: boto3 shows them as they come.
type answer struct{ http.ResponseWriter }

func (a answer) lowerNames() {
	header := a.Header()
	for name, values := range header {
		if strings.HasPrefix(name, metadataPrefix) {
			delete(header, name)
			header[strings.ToLower(name)] = values
		}
	}
}

// WriteHeader begins the reply.
func (a answer) WriteHeader(status int) {
	a.lowerNames()
	a.ResponseWriter.WriteHeader(status)
}

// Write begins the reply unless it has begun.
func (a answer) Write(p []byte) (int, error) {
	a.lowerNames()
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

// decodeBody takes the aws-chunked coding off a body, whose length is then that of what is left, or -1 when nobody says. The coding is
// that of HTTP/1.1, with signatures as extensions of the chunks and checksums as trailers; neither is checked.
func decodeBody(r *http.Request) {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return
	}
	size, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
	if err != nil {
		size = -1
	}
	r.ContentLength = size
	r.Body = struct {
		io.Reader
		io.Closer
	}{httputil.NewChunkedReader(r.Body), r.Body}
	r.Header.Del("X-Amz-Content-Sha256")
	codings := strings.ReplaceAll(r.Header.Get("Content-Encoding"), "aws-chunked", "")
	r.Header.Del("Content-Encoding")
	if codings = strings.Trim(codings, ", "); codings != "" { // S3 keeps the others
		r.Header.Set("Content-Encoding", codings)
	}
}

func refuse(w http.ResponseWriter, status int, code gofakes3.ErrorCode, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(&gofakes3.ErrorResponse{Code: code, Message: message})
}
