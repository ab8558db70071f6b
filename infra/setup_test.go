//nolint:paralleltest // CDK is one Node process, which answers one at a time
package millrace

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
)

// Tests here do not run in parallel: CDK is one Node process, and answers one at a time.

func TestMain(m *testing.M) {
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// template is a synthesised template.
type template map[string]any

// goodProps are props that can be deployed, for the test to change.
func goodProps(t *testing.T) BatchExporterProps {
	t.Helper()
	return BatchExporterProps{
		ConfigFile:  filepath.Join("testdata", "millrace.yaml"),
		DistDir:     writeZips(t, elf.EM_AARCH64),
		Environment: map[string]string{"PREVIEW_URL": "https://preview.example"},
	}
}

// writeZips makes the three zips, with the head of a binary for a machine in them.
func writeZips(t *testing.T, machine elf.Machine) (directory string) {
	t.Helper()
	directory = t.TempDir()
	for _, function := range []string{"ingest", "flush", "replay"} {
		var content bytes.Buffer
		archive := zip.NewWriter(&content)
		file, err := archive.Create("bootstrap")
		if err == nil {
			_, err = file.Write(append(elfHead(machine), function...))
		}
		if err == nil {
			err = archive.Close()
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(directory, function+".zip"), content.Bytes(), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

func elfHead(machine elf.Machine) []byte {
	head := elf.Header64{
		Ident:   [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:    uint16(elf.ET_EXEC),
		Machine: uint16(machine),
		Version: uint32(elf.EV_CURRENT),
		Ehsize:  64,
	}
	var out bytes.Buffer
	if err := binary.Write(&out, binary.LittleEndian, head); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// deploy makes a stack with one exporter, which must succeed.
func deploy(t *testing.T, props BatchExporterProps) (awscdk.Stack, *BatchExporter) {
	t.Helper()
	stack := newStack(t)
	exporter, err := NewBatchExporter(stack, "Exporter", &props)
	if err != nil {
		t.Fatal(err)
	}
	return stack, exporter
}

func newStack(t *testing.T) awscdk.Stack {
	t.Helper()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(t.TempDir()), AnalyticsReporting: jsii.Bool(false)})
	return awscdk.NewStack(app, jsii.String("millrace"), nil)
}

// synth returns the template of a stack with one exporter.
func synth(t *testing.T, props BatchExporterProps) template {
	t.Helper()
	stack, _ := deploy(t, props)
	return template(*assertions.Template_FromStack(stack, nil).ToJSON())
}

// the returns the one resource of a type whose logical id holds a text.
func (tpl template) the(t *testing.T, kind, id string) map[string]any {
	t.Helper()
	var found map[string]any
	for name, resource := range tpl["Resources"].(map[string]any) {
		resource := resource.(map[string]any)
		if resource["Type"] != kind || !strings.Contains(name, id) {
			continue
		}
		if found != nil {
			t.Fatalf("more than one %s with %q in its id", kind, id)
		}
		found = resource
	}
	return found
}

// count returns how many resources of a type there are.
func (tpl template) count(kind string) int {
	n := 0
	for _, resource := range tpl["Resources"].(map[string]any) {
		if resource.(map[string]any)["Type"] == kind {
			n++
		}
	}
	return n
}

// at returns the JSON of what a path of keys leads to, "" when it leads nowhere.
func at(t *testing.T, value any, path string) string {
	t.Helper()
	for key := range strings.SplitSeq(path, ".") {
		switch current := value.(type) {
		case map[string]any:
			value = current[key]
		case []any:
			value = current[int(key[0]-'0')]
		default:
			value = nil
		}
	}
	if value == nil {
		return ""
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
