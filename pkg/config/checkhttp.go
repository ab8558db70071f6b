package config

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// checkSinkURL checks what can be known of a URL before its references are resolved.
func checkSinkURL(s Secret, path string, r *report) {
	if s.IsZero() {
		return
	}
	if len(s.References()) == 0 {
		if message := checkURL(s.Reveal()); message != "" {
			r.add(path, "%s", message)
			return
		}
	}
	// A reference stands for some text without any meaning of its own.
	literal, err := url.Parse(placeholders(s, "reference"))
	if err != nil {
		return
	}
	if password, has := literal.User.Password(); has && password != "reference" {
		r.add(path, "holds a password; write a reference such as ${env:NAME} in its place, or the whole URL as one")
		return
	}
	for name, values := range literal.Query() {
		if isCredential(name) && !strings.Contains(strings.Join(values, ""), "reference") {
			r.add(path, "holds a credential in %q; write a reference such as ${env:NAME} in its place", name)
			return
		}
	}
}

// checkURL says what is wrong with a URL, without quoting it; empty when nothing is.
func checkURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "is not a URL"
	case u.Scheme != "http" && u.Scheme != "https":
		return "must start with http:// or https://"
	case u.Hostname() == "":
		return "names no host"
	case u.Fragment != "":
		return "has a # part, which is never sent; remove it"
	}
	return ""
}

// placeholders returns the text of s with every reference replaced.
func placeholders(s Secret, replacement string) string {
	var b strings.Builder
	for _, p := range s.parts() {
		if p.isReference() {
			b.WriteString(replacement)
		}
		b.WriteString(p.literal)
	}
	return b.String()
}

// checkHeaders reports headers that cannot be sent, that the sink sets itself, and
// credentials written out.
func checkHeaders(headers map[string]Secret, path string, r *report) {
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		headerPath, folded := join(path, name), strings.ToLower(name)
		first, duplicate := seen[folded]
		seen[folded] = name
		switch {
		case !isHeaderName(name):
			r.add(headerPath, "is not the name of a header; a name is letters, digits and -")
		case duplicate:
			r.add(headerPath, "is the same header as %q; remove one", first)
		case slices.Contains([]string{"content-encoding", "content-length", "transfer-encoding", "connection"}, folded):
			r.add(headerPath, "is set by the sink; remove it")
		case isCredential(folded) && !headers[name].IsZero() && len(headers[name].References()) == 0:
			r.add(headerPath, "holds a credential; write a reference such as ${env:NAME} and keep the credential out of the file")
		case strings.ContainsAny(headers[name].String(), "\r\n\x00"):
			r.add(headerPath, "has a line break; a header has one line")
		}
	}
}

// isHeaderName reports whether name is a token of RFC 9110, section 5.6.2.
func isHeaderName(name string) bool {
	const others = "!#$%&'*+-.^_`|~"
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		isAlphanumeric := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		return !isAlphanumeric && !strings.ContainsRune(others, c)
	})
}

// isCredential reports whether a header or a query parameter of this name holds a
// credential.
func isCredential(name string) bool {
	folded := strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
	parts := []string{
		"authorization", "token", "secret", "password", "cookie", "credential", "signature",
		"apikey", "accesskey", "insertkey", "licensekey",
	}
	whole := []string{"key", "sig", "auth", "xauth", "xkey", "xhoneycombteam"}
	return slices.Contains(whole, folded) ||
		slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(folded, part) })
}
