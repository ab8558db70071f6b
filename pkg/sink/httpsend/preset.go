package httpsend

import (
	"net/http"

	"github.com/millrace-dev/millrace/pkg/retry"
)

// Preset names a backend whose replies mean something else than Defaults say.
type Preset string

// The presets. A backend without rules of its own has one all the same, so that a
// configuration can name what it points at, and a test pins what its replies mean.
const (
	PostHog     Preset = "posthog"      // capture v0: /batch, /e
	PostHogV1   Preset = "posthog-v1"   // /i/v1/analytics/events
	Langfuse    Preset = "langfuse"     // /api/public/ingestion
	Exposures   Preset = "exposures"    // Datadog feature-flag exposures
	Kaizen      Preset = "kaizen"       // /v1/events and its siblings
	Loki        Preset = "loki"         // /loki/api/v1/push
	Sentry      Preset = "sentry"       // /api/{project}/envelope/
	OTLP        Preset = "otlp"         // /v1/logs, /v1/traces, /v1/metrics
	Segment     Preset = "segment"      // /v1/batch, RudderStack too
	Bulk        Preset = "bulk"         // Elasticsearch and OpenSearch _bulk
	Webhook     Preset = "webhook"      // CloudEvents over HTTP, Standard Webhooks
	DatadogLogs Preset = "datadog-logs" // /api/v2/logs
	Splunk      Preset = "splunk"       // HTTP Event Collector
)

// Presets returns all presets.
func Presets() []Preset {
	return []Preset{
		PostHog, PostHogV1, Langfuse, Exposures, Kaizen, Loki, Sentry, OTLP, Segment, Bulk, Webhook, DatadogLogs, Splunk,
	}
}

// Rules are the backend's own rules, to be tried before Defaults. 401 and 403 are nowhere
// permanent, whatever the backend's clients make of them: with the right credentials the
// same events will be taken, so they are kept.
func (p Preset) Rules() []Rule {
	switch p {
	case Exposures:
		// The agent's proxy is switched off.
		return []Rule{{From: http.StatusMethodNotAllowed, Class: retry.Setup}}
	case Kaizen:
		// The server has the batch from an earlier attempt.
		return []Rule{{From: http.StatusConflict}}
	case Loki:
		return lokiRules()
	case OTLP:
		return otlpRules()
	case Segment:
		// The documented answer to a batch over 500 KB or an event over 32 KB is a 400.
		return tooLarge(http.StatusBadRequest, "too large", "too big", "exceed")
	case Webhook:
		return []Rule{
			// The endpoint does not want to be called again; a person has to say what now.
			{From: http.StatusGone, Class: retry.Setup},
			// Standard Webhooks 1.0.0 asks to throttle on these.
			{From: http.StatusBadGateway, Class: retry.Throttled},
			{From: http.StatusGatewayTimeout, Class: retry.Throttled},
		}
	case Splunk:
		return []Rule{
			// 200 means code 0. Any other code in it says that the events did not make it.
			{From: http.StatusOK, BodyContains: `"code":0`},
			{From: http.StatusOK, BodyContains: `"code": 0`},
			{From: http.StatusOK, BodyContains: `"code":`, Class: retry.Transient},
		}
	case PostHog, PostHogV1, Langfuse, Sentry, Bulk, DatadogLogs:
	}
	return nil
}

// lokiRules: Loki says 400 where it means 413, and 260 where a policy blocks a tenant: a
// 2xx that has stored nothing. Entries that were stored with the first try of a halved
// batch are deduplicated by their labels, time and line.
func lokiRules() []Rule {
	return append(
		tooLarge(http.StatusBadRequest, "too long", "Max entry size", "too large", "larger than max"),
		Rule{From: 260, Class: retry.Setup},
	)
}

// otlpRules: of all codes only 429, 502, 503 and 504 may be tried again (OTLP 1.11.0,
// "Retryable Response Codes"). The server means it: a 500 is a batch that crashes it.
func otlpRules() []Rule {
	return []Rule{
		{From: http.StatusRequestTimeout, Class: retry.Permanent},
		{From: http.StatusTooEarly, Class: retry.Permanent},
		{From: 500, To: 501, Class: retry.Permanent},
		{From: 505, To: 599, Class: retry.Permanent},
	}
}

// tooLarge are rules for a status that means 413 when the body says one of the texts.
func tooLarge(status int, texts ...string) []Rule {
	rules := make([]Rule, len(texts))
	for i, text := range texts {
		rules[i] = Rule{From: status, BodyContains: text, Class: retry.TooLarge}
	}
	return rules
}
