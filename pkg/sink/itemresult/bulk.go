package itemresult

import (
	"net/http"

	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// readBulk reads
//
//	{"took":5,"errors":true,"items":[{"create":{"_id":"…","status":409,"error":{"type":"…","reason":"…"}}}]}
func readBulk(r *reader, found *results) error {
	return r.object(func(name string) error {
		if name != "items" {
			return r.skip()
		}
		return r.array(func() error {
			var id string
			outcome := noResult()
			err := r.object(func(action string) error {
				var err error
				id, outcome, err = readBulkItem(r, action)
				return err
			})
			if err == nil {
				found.add(id, outcome) // also what is no item: positions must not shift
			}
			return err
		})
	})
}

func readBulkItem(r *reader, action string) (id string, o sink.Outcome, err error) {
	var kind, reason string
	var status int
	err = r.object(func(name string) error {
		switch name {
		case "_id":
			return r.text(&id)
		case "status":
			return r.whole(&status)
		case "error":
			return readBulkError(r, &kind, &reason)
		}
		return r.skip()
	})
	if kind != "" && reason != "" {
		kind += ": "
	}
	return id, bulkOutcome(action, status, kind+reason), err
}

// readBulkError reads the error of an item: an object, or a text in old versions.
func readBulkError(r *reader, kind, reason *string) error {
	if r.decoder.PeekKind() == '"' {
		return r.text(reason)
	}
	return r.object(func(name string) error {
		switch name {
		case "type":
			return r.text(kind)
		case "reason":
			return r.text(reason)
		}
		return r.skip()
	})
}

func bulkOutcome(action string, status int, cause string) sink.Outcome {
	switch {
	case status >= 200 && status <= 299:
		return sink.Outcome{}
	case status == http.StatusConflict && action == "create":
		return sink.Outcome{} // the document is there already: an earlier attempt's
	case status == http.StatusTooManyRequests:
		return again(retry.Throttled, status, cause)
	case status == http.StatusServiceUnavailable:
		return again(retry.Transient, status, cause)
	case status <= 0:
		return noResult()
	}
	return rejected(status, cause)
}
