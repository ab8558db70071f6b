package apigateway

import (
	"mime"
	"net/http"
	"path"
	"strings"
)

// isText reports whether HTTP APIs and function URLs hand over a body as it is. Anything else is base64: forms, a missing
// Content-Type, +json types and whatever has a Content-Encoding.
func isText(header http.Header) bool {
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return false
	}
	switch media, _, _ := mime.ParseMediaType(header.Get("Content-Type")); media {
	case "application/json", "application/xml", "application/javascript":
		return true
	default:
		return strings.HasPrefix(media, "text/")
	}
}

// matchesBinary reports whether one of a header's media types is among a REST API's binary media types.
func matchesBinary(header string, binary []string) bool {
	for one := range strings.SplitSeq(header, ",") {
		media, _, _ := mime.ParseMediaType(one)
		for _, pattern := range binary {
			if matched, _ := path.Match(strings.ToLower(pattern), media); matched || pattern == "*/*" {
				return true
			}
		}
	}
	return false
}

// deleteHops deletes the headers that concern one connection only.
func deleteHops(header http.Header) {
	for _, name := range []string{
		"Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	} {
		delete(header, name)
	}
}
