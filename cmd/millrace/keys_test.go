package main

import (
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/pkg/config"
)

// demoHash is the SHA-256 of phc_demo, as sha256sum prints it.
const demoHash = "d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9"

// keysIn puts a printed snippet into a configuration and returns its keys.
func keysIn(t *testing.T, snippet string) []config.Key {
	t.Helper()
	file := "version: 1\nkeys:\n  " + snippet + "\nsinks: { out: { type: stdout } }\nroutes: [ { to: [out] } ]\n"
	loaded, err := config.Parse("millrace.yaml", []byte(file))
	if err != nil {
		t.Fatalf("the snippet is no configuration: %v\n%s", err, file)
	}
	return loaded.Keys
}

func TestKeysHash_PrintsHashAndSnippet(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, stdin string
		args        []string
	}{
		{"from the command line", "", []string{"phc_demo"}},
		{"from standard input", "phc_demo\n", []string{"-"}},
		{"from standard input without a line end", "phc_demo", []string{"-"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := execute(t.Context(), test.stdin, append([]string{"keys", "hash", "--json"}, test.args...)...)
			var key struct{ SHA256, YAML string }
			got.decode(t, &key)
			if key.SHA256 != demoHash {
				t.Errorf("sha256 = %s, want %s", key.SHA256, demoHash)
			}
			if keys := keysIn(t, key.YAML); keys[0].SHA256 != demoHash {
				t.Errorf("sha256 in the snippet = %s, want %s", keys[0].SHA256, demoHash)
			}
			if strings.Contains(got.out, "phc_demo") {
				t.Error("the key itself was printed")
			}
		})
	}
}

func TestKeysHash_RefusesNothing(t *testing.T) {
	t.Parallel()
	execute(t.Context(), "\n", "keys", "hash", "-").want(t, exitUsage, "", "the key is empty")
}

func TestKeysNew_MakesKeysThatTheConfigurationTakes(t *testing.T) {
	t.Parallel()
	args := []string{"keys", "new", "--json", "--name", "no", "--tenant", "Größe: 1", "--receivers", "posthog,generic", "--prefix", "phc_"}
	var first, second struct{ Key, SHA256, YAML string }
	execute(t.Context(), "", args...).decode(t, &first)
	execute(t.Context(), "", args...).decode(t, &second)
	if first.Key == second.Key || !strings.HasPrefix(first.Key, "phc_") || len(first.Key) != len("phc_")+64 {
		t.Errorf("keys = %q and %q, want two different ones of 64 hex digits after phc_", first.Key, second.Key)
	}
	key := keysIn(t, first.YAML)[0]
	if key.Name != "no" || key.Tenant != "Größe: 1" || len(key.Receivers) != 2 || key.SHA256 != first.SHA256 {
		t.Errorf("key in the configuration = %+v", key)
	}
	var hash struct{ SHA256 string }
	execute(t.Context(), first.Key, "keys", "hash", "-", "--json").decode(t, &hash)
	if hash.SHA256 != first.SHA256 {
		t.Errorf("keys hash says %s, keys new said %s", hash.SHA256, first.SHA256)
	}
}

func TestKeysNew_ForPeople(t *testing.T) {
	t.Parallel()
	execute(t.Context(), "", "keys", "new").want(t, exitDone, "keys:\n  - { name: web, sha256:", "")
}
