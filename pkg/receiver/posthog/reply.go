package posthog

import (
	"net/http"

	"github.com/millrace-dev/millrace/pkg/receiver"
)

// Reply answers in PostHog's words: 200 {"status":1}, 204 for beacons, errors as plain
// text.
func (*Receiver) Reply(w http.ResponseWriter, req *receiver.Request, answer receiver.Answer) {
	failure := answer.Err
	if failure == nil && len(answer.Decoded.Events) == 0 && len(answer.Decoded.Refused) > 0 {
		failure = receiver.Malformed("%s", answer.Decoded.Refused[0].Cause)
	}
	switch {
	case failure != nil:
		receiver.SetRetryAfter(w, failure)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(failure.Status)
		_, _ = w.Write([]byte(failure.Message)) // the client may be gone: there is nobody else to tell
	case req.Query.Get("beacon") == "1":
		w.WriteHeader(http.StatusNoContent)
	default:
		receiver.WriteJSON(w, http.StatusOK, []byte(`{"status":1}`))
	}
}
