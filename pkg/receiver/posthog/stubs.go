package posthog

import (
	"net/http"

	"github.com/gofrs/uuid/v5"

	"github.com/millrace-dev/millrace/pkg/receiver"
)

// stubs are the paths that SDKs ask beside sending events.
func stubs() []receiver.Route {
	get, both := []string{http.MethodGet}, []string{http.MethodPost, http.MethodGet}
	return []receiver.Route{
		{Methods: both, Path: "/flags", Stub: flags},
		{Methods: both, Path: "/decide", Stub: flags},
		{Methods: get, Path: "/flags/definitions", Stub: definitions},
		{Methods: get, Path: "/array/{token}/config", Stub: config},
		{Methods: get, Path: "/array/{token}/config.js", Stub: configScript},
	}
}

// flags answers that there are no feature flags.
func flags(w http.ResponseWriter, _ *http.Request) {
	id, _ := uuid.NewV7() // a request id is for people; the zero one does no harm
	body := []byte(`{"flags":{},"featureFlags":{},"featureFlagPayloads":{},"errorsWhileComputingFlags":false,"requestId":`)
	body = append(receiver.AppendQuote(body, id.String()), '}')
	receiver.WriteJSON(w, http.StatusOK, body)
}

// definitionsTag is the ETag of definitions, which never change.
const definitionsTag = `"none"`

// definitions answers SDKs that compute flags by themselves.
func definitions(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", definitionsTag)
	if r.Header.Get("If-None-Match") == definitionsTag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	receiver.WriteJSON(w, http.StatusOK, []byte(`{"flags":[],"group_type_mapping":{},"cohorts":{}}`))
}

// config tells posthog-js that it may compress, and has nothing to record.
func config(w http.ResponseWriter, _ *http.Request) {
	receiver.WriteJSON(w, http.StatusOK, []byte(`{"supportedCompression":["gzip","gzip-js"],"hasFeatureFlags":false,"sessionRecording":false}`))
}

// configScript is a script that does nothing: posthog-js then asks for config.
func configScript(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/javascript")
	w.WriteHeader(http.StatusOK)
}
