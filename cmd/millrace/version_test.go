package main

import (
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBuildOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, linked string
		info         debug.BuildInfo
		want         build
		text         string
	}{
		{"a release", "v1.2.0", debug.BuildInfo{GoVersion: "go1.26.8"}, build{"v1.2.0", "", "go1.26.8"}, "v1.2.0 (go1.26.8)"},
		{
			"some commits after one, changed", "v1.2.0-3-g5f1c2ab-dirty", debug.BuildInfo{GoVersion: "go1.26.8"},
			build{"v1.2.0-3-g5f1c2ab-dirty", "5f1c2ab", "go1.26.8"}, "v1.2.0-3-g5f1c2ab-dirty commit 5f1c2ab (go1.26.8)",
		},
		{"before any release", "5f1c2ab", debug.BuildInfo{GoVersion: "go1.26.8"}, build{"5f1c2ab", "5f1c2ab", "go1.26.8"}, "5f1c2ab (go1.26.8)"},
		{
			"by go install", "",
			debug.BuildInfo{
				GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.1"},
				Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}},
			},
			build{"v1.2.1", "0123456789abcdef0123456789abcdef01234567", "go1.26.8"},
			"v1.2.1 commit 0123456789abcdef0123456789abcdef01234567 (go1.26.8)",
		},
		{"by go test", "", debug.BuildInfo{}, build{Version: "(devel)"}, "(devel) ()"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := buildOf(test.linked, &test.info)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("build (-want +got):\n%s", diff)
			}
			if got.String() != test.text {
				t.Errorf("String() = %q, want %q", got, test.text)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	execute(t.Context(), "", "version").want(t, exitDone, "millrace ", "")
	var got map[string]any
	execute(t.Context(), "", "version", "--json").decode(t, &got)
	for _, member := range []string{"version", "commit", "go"} {
		if _, there := got[member]; !there {
			t.Errorf("member %q is missing in %v", member, got)
		}
	}
}
