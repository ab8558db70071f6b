package httpsend

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/millrace-dev/millrace/pkg/retry"
)

// presetTable says, for every backend, what a delivery worker should conclude from each
// reply. A status that a row does not list means what Defaults say.
//
//nolint:gochecknoglobals // a table
var presetTable = map[Preset]struct {
	delivered, again, throttled, split, stop, permanent []int
	bodies                                              []bodyRow
}{
	PostHog: {
		delivered: []int{200, 204}, again: []int{408, 500, 502, 503, 504}, throttled: []int{429}, split: []int{413},
		stop: []int{401, 403}, permanent: []int{400, 402, 415},
	},
	PostHogV1: {
		delivered: []int{200}, again: []int{408, 500, 502, 503, 504}, throttled: []int{429}, split: []int{413},
		stop: []int{401, 403}, permanent: []int{400, 402, 415},
	},
	Langfuse: {
		delivered: []int{200, 207}, again: []int{500, 503}, throttled: []int{429}, split: []int{413},
		stop: []int{401, 403}, permanent: []int{400, 404},
	},
	Exposures: {
		delivered: []int{200, 202}, again: []int{408, 500, 503}, throttled: []int{429}, split: []int{413},
		stop: []int{401, 403, 405}, permanent: []int{400, 404},
	},
	Kaizen: { // C3
		delivered: []int{200, 202, 204, 409}, again: []int{500, 502, 503}, throttled: []int{429}, split: []int{413},
		stop: []int{401}, permanent: []int{400, 404, 415, 422},
	},
	Loki: {
		delivered: []int{200, 204}, again: []int{500, 503}, throttled: []int{429}, split: []int{413},
		stop: []int{260, 401}, permanent: []int{400},
		bodies: []bodyRow{
			{400, `line too long`, retry.TooLarge},
			{400, `Max entry size '262144' bytes exceeded for stream '{app="shop"}' while adding an entry with length '300000' bytes`, retry.TooLarge},
			{400, `received message larger than max (5000000 vs 4194304)`, retry.TooLarge},
			{400, `entry too far behind`, retry.Permanent},
			{400, `error at least one label pair is required per stream`, retry.Permanent},
		},
	},
	Sentry: {
		delivered: []int{200}, again: []int{500, 503}, throttled: []int{429}, split: []int{413},
		stop: []int{401, 403}, permanent: []int{400},
	},
	OTLP: {
		delivered: []int{200}, again: []int{502, 503, 504}, throttled: []int{429}, split: []int{413},
		stop: []int{401, 403}, permanent: []int{400, 404, 408, 425, 500, 501, 505, 507, 599},
	},
	Segment: {
		delivered: []int{200}, again: []int{500, 501, 503}, throttled: []int{429}, split: []int{413},
		stop: []int{401}, permanent: []int{400, 404},
		bodies: []bodyRow{
			{400, `{"success":false,"message":"Request too large"}`, retry.TooLarge},
			{400, `batch exceeds 500KB`, retry.TooLarge},
			{400, `{"success":false,"message":"malformed JSON"}`, retry.Permanent},
		},
	},
	Bulk: {
		delivered: []int{200}, again: []int{502, 503, 504}, throttled: []int{429}, split: []int{413},
		stop: []int{401, 403}, permanent: []int{400, 404},
	},
	Webhook: {
		delivered: []int{200, 201, 202, 204}, again: []int{408, 500, 503}, throttled: []int{429, 502, 504}, split: []int{413},
		stop: []int{301, 302, 307, 308, 410}, permanent: []int{400, 404, 415},
	},
	DatadogLogs: {
		delivered: []int{200, 202}, again: []int{408, 500, 503}, throttled: []int{429}, split: []int{413},
		stop: []int{401, 403}, permanent: []int{400},
	},
	Splunk: {
		delivered: []int{200}, again: []int{500, 503}, throttled: []int{429}, split: []int{413},
		stop: []int{401, 403}, permanent: []int{400},
		bodies: []bodyRow{
			{200, `{"text":"Success","code":0}`, ""},
			{200, `{"text": "Success", "code": 0, "ackId": 2}`, ""},
			{200, `{"text":"Server is busy","code":9}`, retry.Transient},
			{400, `{"text":"Invalid data format","code":6,"invalid-event-number":1}`, retry.Permanent},
			{403, `{"text":"Invalid token","code":4}`, retry.Setup},
		},
	},
}

type bodyRow struct {
	status int
	body   string
	class  retry.Class
}

func TestPreset_EachBackendAndReply(t *testing.T) {
	t.Parallel()
	for _, preset := range Presets() {
		t.Run(string(preset), func(t *testing.T) {
			t.Parallel()
			row, listed := presetTable[preset]
			if !listed {
				t.Fatal("the table has no row for it")
			}
			rules := append(preset.Rules(), Defaults()...)
			for class, statuses := range map[retry.Class][]int{
				"": row.delivered, retry.Transient: row.again, retry.Throttled: row.throttled,
				retry.TooLarge: row.split, retry.Setup: row.stop, retry.Permanent: row.permanent,
			} {
				for _, status := range statuses {
					row.bodies = append(row.bodies, bodyRow{status, "", class})
				}
			}
			for _, c := range row.bodies {
				if got := classOf(&Reply{Status: c.status, Body: []byte(c.body)}, rules); got != c.class {
					t.Errorf("%d %s: class %q, want %q", c.status, c.body, got, c.class)
				}
			}
		})
	}
	if len(presetTable) != len(Presets()) {
		t.Errorf("the table has %d rows, there are %d presets", len(presetTable), len(Presets()))
	}
}

func TestPreset_RulesAreValid(t *testing.T) {
	t.Parallel()
	for _, preset := range Presets() {
		for i, rule := range preset.Rules() {
			if err := rule.validate(); err != nil {
				t.Errorf("%s: rule %d: %v", preset, i, err)
			}
		}
	}
	if rules := Preset("").Rules(); rules != nil {
		t.Errorf("no preset has rules: %v", rules)
	}
}

// An absurd wait or a throttle stays one whatever the backend.
func TestPreset_RetryAfterOn503_Throttles(t *testing.T) {
	t.Parallel()
	for _, preset := range Presets() {
		reply := Reply{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"2"}}}
		if got := classOf(&reply, append(preset.Rules(), Defaults()...)); got != retry.Throttled {
			t.Error(fmt.Sprintf("%s: 503 with Retry-After is", preset), got)
		}
	}
}
