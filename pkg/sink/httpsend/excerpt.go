package httpsend

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// MaxExcerptBytes bounds the text of a reply that is kept in logs and dead letters.
const MaxExcerptBytes = 512

// minSecretBytes keeps short header values ("1", "prod") from making holes in every
// excerpt. Shorter credentials are still caught by the patterns.
const minSecretBytes = 6

const secretMark = "[secret]"

// scrubber takes secrets out of what destinations and the network say: those it was
// told of, in the spellings in which servers echo them, and what looks like one.
type scrubber struct {
	known   *strings.Replacer
	longest int // bytes of the longest known secret
}

func newScrubber(o *Options) *scrubber {
	s := &scrubber{}
	var pairs []string
	for _, secret := range secretsOf(o) {
		for _, spelling := range spellings(secret) {
			pairs = append(pairs, spelling, secretMark)
			s.longest = max(s.longest, len(spelling))
		}
	}
	s.known = strings.NewReplacer(pairs...)
	return s
}

// secretsOf lists the header values, their last words ("Bearer …"), and the password
// and query values of the URL. Longer ones come first, so that none is cut by a part.
func secretsOf(o *Options) []string {
	var secrets []string
	for name, value := range o.Headers {
		switch http.CanonicalHeaderKey(name) {
		case "Content-Type", "Accept", "User-Agent", "Host":
			continue // destinations talk about these, and they are no secrets
		}
		secrets = append(secrets, value)
		if i := strings.LastIndexByte(value, ' '); i >= 0 {
			secrets = append(secrets, value[i+1:])
		}
	}
	if u, err := url.Parse(o.URL); err == nil {
		if password, ok := u.User.Password(); ok {
			secrets = append(secrets, password, base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)))
		}
		for _, values := range u.Query() {
			secrets = append(secrets, values...)
		}
	}
	return longEnough(secrets)
}

func longEnough(secrets []string) []string {
	var long []string
	for _, s := range secrets {
		if len(s) >= minSecretBytes {
			long = append(long, s)
		}
	}
	return long
}

// spellings are the forms in which a server may echo a secret.
func spellings(secret string) []string {
	forms := []string{secret}
	quoted := strconv.Quote(secret)
	for _, form := range []string{
		url.QueryEscape(secret), url.PathEscape(secret), quoted[1 : len(quoted)-1],
		strings.ReplaceAll(secret, "/", `\/`),
	} {
		if form != secret {
			forms = append(forms, form)
		}
	}
	return forms
}

// pattern is something that looks like a secret, and what to write instead.
type pattern struct {
	find    *regexp.Regexp
	replace string
}

// patterns are compiled on first use: most functions never see a failing reply, and
// compiling costs a cold start a part of a millisecond.
//
//nolint:gochecknoglobals // a constant that the language cannot write
var patterns = sync.OnceValue(func() []pattern {
	return []pattern{
		// Authorization schemes: Bearer eyJ…, Basic dXNlcjpw….
		{regexp.MustCompile(`(?i)\b(bearer|basic|apikey|splunk|digest)\s+[A-Za-z0-9._~+/=:-]+`), "$1 " + secretMark},
		// Tokens that can be told by their beginning: JWT, AWS, GitHub, Slack, Stripe, PostHog, Standard Webhooks.
		{regexp.MustCompile(`\b(?:eyJ[\w-]{8,}\.[\w.-]+|(?:AKIA|ASIA)[A-Z0-9]{12,}|gh[pousr]_\w{8,}|xox[a-z]-[\w-]{8,}|(?:sk|rk|pk|phc|phx|whsec|whsk)[_-][\w+/=-]{6,})`), secretMark},
		// key=value and "key": "value", whatever the key is glued to (client_secret, x-api-key).
		{regexp.MustCompile(`(?i)((?:api[_-]?key|token|secret|passw(?:or)?d|pwd|authorization|signature|credentials?|cookie|session[_-]?id|write[_-]?key|private[_-]?key)\\?["']?\s*[:=]\s*\\?["']?)[^\s"'\\,;&<>]+`), "${1}" + secretMark},
		{regexp.MustCompile(`[\w.+-]+@[\w-]+(?:\.[\w-]+)+`), "[email]"},
	}
})

// excerpt makes text fit for logs and dead letters: printable, one line, without
// secrets, at most MaxExcerptBytes. It looks at no more than it would read of a reply.
func (s *scrubber) excerpt(text []byte) string {
	if len(text) > maxErrorBytes {
		text = s.withoutEnd(text[:maxErrorBytes])
	}
	line := printable(text)
	line = s.known.Replace(line)
	for _, p := range patterns() {
		line = p.find.ReplaceAllString(line, p.replace)
	}
	return shorten(line)
}

// withoutEnd leaves out the end of a text that was cut, where half a secret may stand
// that no longer looks like one.
func (s *scrubber) withoutEnd(text []byte) []byte {
	return text[:max(0, len(text)-s.longest)]
}

// printable turns every run of white space and control characters into one space.
func printable(text []byte) string {
	var b strings.Builder
	space := true
	for _, r := range string(text) {
		if !unicode.IsPrint(r) || r == ' ' {
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		}
		space = false
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), " ")
}

// shorten cuts at a rune's edge and says that it did.
func shorten(line string) string {
	const more = "…"
	if len(line) <= MaxExcerptBytes {
		return line
	}
	end := MaxExcerptBytes - len(more)
	for !utf8.RuneStart(line[end]) {
		end--
	}
	return line[:end] + more
}
