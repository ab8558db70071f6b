package httpsend

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/millrace-dev/millrace/pkg/retry"
)

// Rule says what one sort of reply means. A reply matches when all conditions that are
// set hold; a rule without conditions matches every reply.
type Rule struct {
	// From and To are the status codes that match, both included. To 0 means From
	// alone; From 0 means any code.
	From, To int
	// Header names a header that the reply must have.
	Header string
	// HeaderContains is text that the header's value must hold, in any case.
	HeaderContains string
	// BodyContains is text that the body must hold, byte for byte. It is looked for in
	// the first MaxReplyBytes of a 2xx reply and the first maxErrorBytes of any other.
	BodyContains string
	// Class is what the reply means. Empty means delivered.
	Class retry.Class
}

// Defaults are the rules for a plain HTTP destination. The last one matches all that
// is left.
func Defaults() []Rule {
	return []Rule{
		{From: 200, To: 299},
		// The destination gives the same address only elsewhere: the url is wrong.
		{From: 300, To: 399, Class: retry.Setup},
		// Credentials, of the destination (401, 403) or of a proxy before it (407): the
		// same events will be taken once a person has put them right.
		{From: http.StatusUnauthorized, Class: retry.Setup},
		{From: http.StatusForbidden, Class: retry.Setup},
		{From: http.StatusProxyAuthRequired, Class: retry.Setup},
		{From: http.StatusRequestEntityTooLarge, Class: retry.TooLarge},
		{From: http.StatusTooManyRequests, Class: retry.Throttled},
		// The server waited for us (408) or fears a replay (425): both say "again".
		{From: http.StatusRequestTimeout, Class: retry.Transient},
		{From: http.StatusTooEarly, Class: retry.Transient},
		// 410 and every other 4xx: the request itself is refused.
		{From: 400, To: 499, Class: retry.Permanent},
		// Only an overloaded server says when to come back (RFC 9110, 15.6.4).
		{From: http.StatusServiceUnavailable, Header: "Retry-After", Class: retry.Throttled},
		// Every other 5xx, and codes nobody has defined: trying again loses nothing.
		{Class: retry.Transient},
	}
}

func (r *Rule) validate() error {
	switch {
	case r.From < 0 || r.From > 999 || r.To < 0 || r.To > 999:
		return fmt.Errorf("code: %d-%d is outside 100-999", r.From, r.To)
	case r.To != 0 && r.To < r.From:
		return fmt.Errorf("code: %d-%d is backwards", r.From, r.To)
	case r.HeaderContains != "" && r.Header == "":
		return fmt.Errorf("header: a text %q to look for, but no header name", r.HeaderContains)
	case r.Class != "" && !r.Class.Valid():
		return fmt.Errorf("class: %q is not one", string(r.Class))
	}
	return nil
}

// matches decides whether the rule speaks of a reply.
func (r *Rule) matches(reply *Reply) bool {
	return r.matchesCode(reply.Status) && r.matchesHeader(reply.Header) &&
		(r.BodyContains == "" || bytes.Contains(reply.Body, []byte(r.BodyContains)))
}

func (r *Rule) matchesCode(code int) bool {
	return r.From == 0 || code >= r.From && code <= max(r.From, r.To)
}

func (r *Rule) matchesHeader(header http.Header) bool {
	if r.Header == "" {
		return true
	}
	for _, value := range header.Values(r.Header) {
		if strings.Contains(strings.ToLower(value), strings.ToLower(r.HeaderContains)) {
			return true
		}
	}
	return false
}

// classOf returns the class of the first rule that matches; a reply that none matches
// is to be tried again.
func classOf(reply *Reply, rules []Rule) retry.Class {
	for i := range rules {
		if rules[i].matches(reply) {
			return rules[i].Class
		}
	}
	return retry.Transient
}
