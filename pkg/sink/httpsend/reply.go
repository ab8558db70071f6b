package httpsend

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

const (
	// MaxReplyBytes bounds the body of a reply that a sink reads: results for 500 items
	// of 2 KB each.
	MaxReplyBytes = 1 << 20
	// maxErrorBytes bounds what is read of a reply that nobody reads but a person, and
	// what is drained so that the connection can be used again.
	maxErrorBytes = 4 << 10
	// replyPatience bounds how long the end of such a reply is waited for. Its status
	// has decided already; the connection is not worth more.
	replyPatience = time.Second
)

// Reply is what a destination answered.
type Reply struct {
	Status int
	Header http.Header
	// Body is at most MaxReplyBytes. It is empty when Options.Reply is IgnoreReply and
	// the status is 2xx.
	Body []byte
	// Truncated says that the reply was longer than Body.
	Truncated bool
	// ReadErr is why Body ends early, nil when it does not. A 2xx reply that cannot be
	// read is a delivery all the same.
	ReadErr error
}

// read takes as much of the response as matters and closes it. stop ends the attempt.
func (s *Sender) read(response *http.Response, stop context.CancelFunc) Reply {
	defer response.Body.Close()
	reply := Reply{Status: response.StatusCode, Header: response.Header}
	limit := maxErrorBytes
	if s.readsBody && isSuccess(reply.Status) {
		limit = MaxReplyBytes
	} else {
		defer time.AfterFunc(replyPatience, stop).Stop()
	}
	reply.Body, reply.ReadErr = io.ReadAll(io.LimitReader(response.Body, int64(limit)+1))
	if len(reply.Body) > limit {
		reply.Body, reply.Truncated = reply.Body[:limit], true
	}
	return reply
}

func isSuccess(status int) bool { return status >= 200 && status <= 299 }

// judge tells a delivery, which is nil, from a failure.
func (s *Sender) judge(reply *Reply) error {
	class := classOf(reply, s.rules)
	if class == "" {
		return s.judgeSuccess(reply)
	}
	failure := sink.Fail(class, s.cause(reply), nil)
	failure.Outcome.Status = reply.Status
	if failure.Outcome.Verdict == sink.Retry {
		failure.Outcome.After, _ = retry.ParseRetryAfter(reply.Header.Get("Retry-After"), time.Now())
	}
	return failure
}

func (s *Sender) judgeSuccess(reply *Reply) error {
	if s.use == RequireJSON && !mayBeJSON(reply) {
		failure := sink.Fail(retry.Setup, s.Excerpt([]byte("the reply is not JSON: "+s.excerptOf(reply))), nil)
		failure.Outcome.Status = reply.Status
		return failure
	}
	return nil
}

// mayBeJSON reports whether the body is JSON as far as it was read. No body at all is
// fine: nothing in it contradicts the status.
func mayBeJSON(reply *Reply) bool {
	body := bytes.TrimSpace(reply.Body)
	if len(body) == 0 {
		return true
	}
	if reply.Truncated || reply.ReadErr != nil {
		return body[0] == '{' || body[0] == '['
	}
	return jsontext.Value(body).IsValid()
}

// cause says in one line why a reply is a failure.
func (s *Sender) cause(reply *Reply) string {
	if location := reply.Header.Get("Location"); location != "" && reply.Status >= 300 && reply.Status <= 399 {
		return s.Excerpt([]byte("redirects are not followed: the destination points to " + location))
	}
	if text := s.excerptOf(reply); text != "" {
		return text
	}
	return strings.TrimSpace(fmt.Sprintf("status %d %s", reply.Status, http.StatusText(reply.Status)))
}

func (s *Sender) excerptOf(reply *Reply) string {
	if reply.Truncated || reply.ReadErr != nil {
		return s.Excerpt(s.scrub.withoutEnd(reply.Body))
	}
	return s.Excerpt(reply.Body)
}
