package emulators_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// compose is what localstack/compose.yaml may say; another key is an error.
type compose struct {
	Services map[string]struct {
		Image       string            `yaml:"image"`
		Ports       []string          `yaml:"ports"`
		Environment map[string]string `yaml:"environment"`
		Volumes     []string          `yaml:"volumes"`
	} `yaml:"services"`
}

// There is no Docker where these tests run, so that the file starts something is not tested.
func TestCompose_Services_ArePinnedAndOnLoopback(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join("..", "..", "localstack", "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file compose
	if err := yaml.UnmarshalWithOptions(content, &file, yaml.DisallowUnknownField()); err != nil {
		t.Fatal(err)
	}
	if len(file.Services) != 1 {
		t.Errorf("%d services, want LocalStack alone", len(file.Services))
	}
	pinned := regexp.MustCompile(`^[a-z0-9/.-]+:\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$`)
	for name, service := range file.Services {
		if !pinned.MatchString(service.Image) {
			t.Errorf("%s: the image %s has no whole version", name, service.Image)
		}
		if len(service.Ports) == 0 {
			t.Errorf("%s publishes no port, so nobody reaches it", name)
		}
		for _, port := range service.Ports {
			host, _, _ := strings.Cut(port, ":")
			address, err := netip.ParseAddr(host)
			if err != nil || !address.IsLoopback() {
				t.Errorf("%s publishes %s, want an address of loopback first", name, port)
			}
		}
	}
}

func TestRequirements_EachPackage_IsPinnedByHash(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "localstack", "requirements-*.txt"))
	if err != nil || len(files) != 2 {
		t.Fatalf("found %v, %v, want a file for each emulator", files, err)
	}
	pinned := regexp.MustCompile(`^[A-Za-z0-9_.\[\]-]+==[0-9A-Za-z.+]+ .*--hash=sha256:[0-9a-f]{64}`)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		packages := 0
		for line := range strings.Lines(strings.ReplaceAll(string(content), "\\\n", "")) {
			if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			packages++
			if !pinned.MatchString(line) {
				t.Errorf("%s: %s is not pinned by version and hash", file, line)
			}
		}
		if packages == 0 {
			t.Errorf("%s pins nothing", file)
		}
	}
}
