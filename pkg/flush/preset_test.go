package flush_test

import (
	"fmt"
	"testing"

	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/sink/httpsend"
)

// Every preset of the sender can be written in the file, and makes a sink.
func TestFromConfig_EveryPreset(t *testing.T) {
	t.Parallel()
	for _, preset := range httpsend.Presets() {
		c, err := config.Parse("millrace.yaml", fmt.Appendf(nil, `version: 1
keys: [{ name: web, sha256: d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9, tenant: acme }]
sinks: { there: { type: http, url: "http://127.0.0.1:1", preset: %s } }
routes: [{ to: [there] }]
`, preset))
		if err != nil {
			t.Errorf("%s: %v", preset, err)
			continue
		}
		if _, err := flush.FromConfig(c, flush.Options{}); err != nil {
			t.Errorf("%s: %v", preset, err)
		}
	}
}
