package claimcheck

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/retry"
)

const (
	// maxErrorBytes bounds what is read of an error; S3's have some hundred bytes.
	maxErrorBytes = 4 << 10
	// maxExcerpt bounds what is told of it.
	maxExcerpt = 200
)

// refusal reads what S3 answered instead of the object.
func refusal(response *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBytes)) // what cannot be read tells nothing
	code, message := element(text, "Code"), element(text, "Message")
	class := classOf(response.StatusCode, code)
	err := fmt.Errorf("status %d %s: %s", response.StatusCode, code, message)
	if class == retry.Permanent {
		err = fmt.Errorf("%w: its object is missing: %w", batch.ErrCorrupt, err)
	}
	after, _ := retry.ParseRetryAfter(response.Header.Get("Retry-After"), time.Now())
	return retry.Fail(class, after, err)
}

// classOf is the one place that judges S3's answers.
// Source: Amazon S3 API reference, "Error responses".
func classOf(status int, code string) retry.Class {
	switch {
	case status == http.StatusNotFound && code == "NoSuchKey":
		return retry.Permanent // the object is not there, and nothing will bring it back
	case status == http.StatusServiceUnavailable, status == http.StatusTooManyRequests:
		return retry.Throttled // SlowDown
	case status >= http.StatusInternalServerError, status == http.StatusRequestTimeout, status == http.StatusConflict,
		code == "RequestTimeout": // S3's time-out for slow uploads is a 400
		return retry.Transient
	}
	return retry.Setup // no bucket, no permission, wrong region, expired credentials: a person has to act
}

// element returns the text of an element of S3's error document. A parser for XML would
// cost more of the functions' size budget than the two words are worth.
func element(document []byte, name string) string {
	_, rest, _ := strings.Cut(string(document), "<"+name+">")
	text, _, found := strings.Cut(rest, "<")
	if !found {
		return ""
	}
	return strings.ToValidUTF8(text[:min(len(text), maxExcerpt)], "")
}
