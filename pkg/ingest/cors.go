package ingest

import "net/http"

// Browsers may read these headers of a reply, and remember a preflight for an hour.
const (
	exposedHeaders   = "Retry-After, X-Sentry-Rate-Limits, X-Sentry-Error, PostHog-Request-Id"
	allowedMethods   = "GET, POST, OPTIONS"
	preflightSeconds = "3600"
)

// allowOrigin lets any website read the reply: write keys are public in browsers, and
// nothing here reads data. The origin is reflected, because "*" is refused for requests
// with credentials, which posthog-js sends.
func allowOrigin(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" {
		return
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Allow-Credentials", "true")
	header.Set("Access-Control-Expose-Headers", exposedHeaders)
}

// preflight answers OPTIONS on every path, without a key: a browser sends none.
func preflight(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Access-Control-Allow-Methods", allowedMethods)
	header.Set("Access-Control-Max-Age", preflightSeconds)
	if wanted := r.Header.Get("Access-Control-Request-Headers"); wanted != "" {
		header.Add("Vary", "Access-Control-Request-Headers")
		header.Set("Access-Control-Allow-Headers", wanted)
	}
	w.WriteHeader(http.StatusNoContent)
}
