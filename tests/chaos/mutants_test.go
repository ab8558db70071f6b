package chaos_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/tests/chaos"
	"github.com/millrace-dev/millrace/tests/devtest"
)

// byMachine stands for a seed where the state machine finds the bug: the chance that a process dies, or a queue is away for all of the
// SDK's retries, in the moment that matters is too small.
const byMachine = 0

// planted are the bugs in mutants/NAME.patch, each with a seed that found it.
var planted = map[string]uint64{
	"ack-first":                7,
	"letter-error-ignored":     24,
	"replay-deletes-first":     byMachine,
	"replay-to-all-sinks":      14,
	"breaker-drops":            3,
	"residue-without-sink":     19,
	"wrong-message-comes-back": 8,
	"answers-before-sending":   3,
	"split-loses-half":         4,
	"drain-deletes-all":        1,
	"commit-before-delivery":   5,
	"dedup-key-without-tenant": 5,
	"crashed-letter-renamed":   37,
}

// seedsPerMutant bounds the search. The recorded seed comes first, and mostly suffices; but a seed does not decide how
// processes interleave.
const seedsPerMutant = 40

// mutantPatience is how long a bug may keep a run from coming to rest.
const mutantPatience = 60 * time.Second

// The suite finds each of the bugs that were planted into a copy of the product.
func TestRun_Mutants_AreFound(t *testing.T) {
	if !*mutants {
		t.Skip("takes minutes: make mutants") //nolint:forbidigo // a suite of its own, which CI asks for by flag
	}
	for name, first := range planted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dist := build(t, name)
			if first == byMachine {
				runMachine(t, filepath.Join(filepath.Dir(dist), "overlay.json"))
				return
			}
			for n := range uint64(seedsPerMutant) {
				seed := n
				if n == 0 {
					seed = first
				}
				plan := chaos.NewPlan(seed, *load)
				if plan.Has(chaos.ClockJump) {
					continue // needs functions that were compiled for it
				}
				report := run(t, chaos.Options{Plan: plan, Dist: dist, Patience: mutantPatience})
				if !report.Good() {
					t.Logf("%s is found by seed %d after %d others: %q", name, seed, n, report.Verdict.Problems[0])
					return
				}
			}
			t.Errorf("not found by %d seeds", seedsPerMutant)
		})
	}
}

// runMachine fails unless the state machine finds the bug.
func runMachine(t *testing.T, overlay string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "go", "test", "-overlay", overlay, "-count=1", "-run", "Machine", "./tests/chaos",
		"-rapid.checks=3000", "-rapid.nofailfile")
	c.Dir = devtest.Root(t)
	out, err := c.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("[rapid] failed")) {
		t.Errorf("the state machine does not find it: %v\n%s", err, out)
	}
}

// Every patch has its seed.
func TestMutants_AllAreListed(t *testing.T) {
	t.Parallel()
	patches, err := filepath.Glob("mutants/*.patch")
	if err != nil || len(patches) != len(planted) {
		t.Errorf("%d patches and %d planted bugs, %v", len(patches), len(planted), err)
	}
}

// A bug that cannot be planted any more, because what it changes has changed, is not left for the day on which somebody looks for it.
func TestMutants_AllFitTheTree(t *testing.T) {
	t.Parallel()
	for name := range planted {
		patch, err := os.ReadFile(filepath.Join("mutants", name+".patch"))
		if err != nil {
			t.Fatal(err)
		}
		for file := range strings.SplitSeq(strings.TrimPrefix(string(patch), "diff --git "), "\ndiff --git ") {
			checkFits(t, name, file)
		}
	}
}

// checkFits compares the hunks for one file with what it has.
func checkFits(t *testing.T, name, file string) {
	t.Helper()
	head, hunks, _ := strings.Cut(file, "\n@@")
	_, path, _ := strings.Cut(head, "\n+++ b/")
	tree, err := os.ReadFile(filepath.Join(devtest.Root(t), path))
	if err != nil {
		t.Fatal(err)
	}
	for hunk := range strings.SplitSeq(hunks, "\n@@") {
		if want := replaced(hunk); want == "" || !bytes.Contains(tree, []byte(want)) {
			t.Errorf("%s does not fit %s, which has no\n%s", name, path, want)
		}
	}
}

// replaced is the text that a hunk is for.
func replaced(hunk string) string {
	_, body, _ := strings.Cut(hunk, "\n")
	var text strings.Builder
	for line := range strings.Lines(body) {
		if kind, rest := line[0], line[1:]; kind == ' ' || kind == '-' {
			text.WriteString(rest)
		}
	}
	return text.String()
}

// build makes the functions with a bug in them and returns their directory. The tree itself is not touched: the compiler is
// told to read the patched files elsewhere.
func build(t *testing.T, name string) (dist string) {
	t.Helper()
	root, dir := devtest.Root(t), t.TempDir()
	patch, err := filepath.Abs(filepath.Join("mutants", name+".patch"))
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	replace := map[string]string{}
	for _, file := range patched(t, patch) {
		replace[filepath.Join(root, file)] = filepath.Join(dir, file)
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, file), text)
	}
	if err := writeOverlay(overlay, replace); err != nil {
		t.Fatal(err)
	}
	command(t, dir, "git", "apply", "-C1", patch)
	if err := compile(root, filepath.Join(dir, "dist"), overlay); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "dist")
}

var patchedFile = regexp.MustCompile(`(?m)^\+\+\+ b/(.+)$`)

func patched(t *testing.T, patch string) []string {
	t.Helper()
	text, err := os.ReadFile(patch)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, match := range patchedFile.FindAllSubmatch(text, -1) {
		files = append(files, string(match[1]))
	}
	if len(files) == 0 {
		t.Fatalf("%s changes nothing", patch)
	}
	return files
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o750)
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func command(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}
