package itemresult

import (
	"strings"

	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// readPostHog reads
//
//	{"results":{"<uuid>":{"result":"retry","details":"not_persisted"}}}
func readPostHog(r *reader, found *results) error {
	return r.object(func(name string) error {
		if name != "results" {
			return r.skip()
		}
		return r.object(func(uuid string) error {
			var word, details string
			err := r.object(func(name string) error {
				switch name {
				case "result":
					return r.text(&word)
				case "details":
					return r.text(&details)
				}
				return r.skip()
			})
			if err == nil {
				found.add(strings.ToLower(uuid), postHogOutcome(word, details))
			}
			return err
		})
	})
}

// postHogOutcome takes words that it does not know for deliveries, as the SDKs do: a
// newer server may say new things, and an old client must not send for ever.
func postHogOutcome(word, details string) sink.Outcome {
	switch word {
	case "drop":
		return rejected(0, strings.TrimSuffix("drop: "+details, ": "))
	case "retry":
		return again(retry.Transient, 0, strings.TrimSuffix("retry: "+details, ": "))
	}
	return sink.Outcome{} // ok, warning, limited, anything else
}
