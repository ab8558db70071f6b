package itemresult

import (
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// readLangfuse reads
//
//	{"successes":[{"id":"…","status":201}],"errors":[{"id":"…","status":400,"message":"…","error":"…"}]}
//
// The server lists an item with an unusable id as "unknown": no event has that id. It
// lists sdk-log items nowhere, so a sink that sends those must not expect a result.
func readLangfuse(r *reader, found *results) error {
	return r.object(func(name string) error {
		switch name {
		case "successes", "errors":
			return r.array(func() error { return readLangfuseItem(r, name, found) })
		}
		return r.skip()
	})
}

func readLangfuseItem(r *reader, list string, found *results) error {
	var id, message, problem string
	var status int
	err := r.object(func(name string) error {
		switch name {
		case "id":
			return r.text(&id)
		case "status":
			return r.whole(&status)
		case "message":
			return r.text(&message)
		case "error":
			return r.text(&problem)
		}
		return r.skip()
	})
	if err != nil {
		return err
	}
	if message == "" {
		message = problem
	}
	switch {
	case id == "":
	case list == "successes":
		found.add(id, sink.Outcome{})
	case status == 429:
		found.add(id, again(retry.Throttled, status, message))
	case status >= 500:
		found.add(id, again(retry.Transient, status, message))
	case status > 0:
		found.add(id, rejected(status, message))
	}
	return nil
}
