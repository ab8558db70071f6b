//nolint:paralleltest // CDK is one Node process, which answers one at a time
package millrace

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// targetProps are the props of a golden template.
func targetProps(t *testing.T, target string) BatchExporterProps {
	t.Helper()
	props := goodProps(t)
	props.Flush.Trigger = TriggerBoth
	props.Store.Bucket = on
	props.Replay.Schedule = "rate(1 hour)"
	adapted, err := Adapt(target, props)
	if err != nil {
		t.Fatal(err)
	}
	adapted.Functions.Architecture = ArchitectureARM64 // the same on every machine that runs this test
	return adapted
}

func TestNewBatchExporter_Targets_MatchGoldenTemplates(t *testing.T) {
	for _, target := range Targets() {
		t.Run(target, func(t *testing.T) {
			got := normalised(t, synth(t, targetProps(t, target)))
			path := filepath.Join("testdata", target+".template.json")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s is not what is synthesised; if it should be: go test -update (-want +got):\n%s", path, diff)
			}
		})
	}
}

func TestNewBatchExporter_Synth_IsDeterministic(t *testing.T) {
	props := goodProps(t)
	first, err := json.Marshal(synth(t, props))
	if err != nil {
		t.Fatal(err)
	}
	second, err := json.Marshal(synth(t, props))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(first), string(second)); diff != "" {
		t.Errorf("two runs differ, asset hashes included (-first +second):\n%s", diff)
	}
}

// assetHash is how CDK names what it uploads.
var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

// normalised prints a template with the hashes of assets left out.
func normalised(t *testing.T, tpl template) string {
	t.Helper()
	text, err := json.MarshalIndent(tpl, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(assetHash.ReplaceAll(text, []byte("ASSET"))) + "\n"
}
