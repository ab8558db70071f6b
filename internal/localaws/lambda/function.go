package lambda

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// Function describes one function. A Host copies it, so later changes have no effect.
type Function struct {
	// Name is the function's name: 1 to 64 letters, digits, hyphens and underscores.
	Name string
	// Bootstrap is the path of the executable that speaks the Runtime API.
	Bootstrap string
	// Directory is the working directory of the process. Default: the directory of Bootstrap, like /var/task on AWS.
	Directory string
	// Environment is added to the variables that Lambda itself sets; Lambda's own (AWS_LAMBDA_…) win.
	Environment map[string]string
	// MemoryMB is only shown to the function (AWS_LAMBDA_FUNCTION_MEMORY_SIZE) and said in reports. Default 128.
	MemoryMB int
	// Timeout ends an invocation, up to 15 minutes. Default 3 s.
	Timeout time.Duration
	// MaxConcurrency is the reserved concurrency: invocations beyond it are throttled. Default 64.
	MaxConcurrency int
	// MaxWait is how long an invocation waits for a free environment before it is throttled. 0 throttles at once, as AWS does;
	// a laptop with few cores is better served by a short queue than by a hundred processes.
	MaxWait time.Duration
	// Log gets the process's output, one Write per line; calls do not overlap. A Write that blocks stops the function in the end,
	// as a full pipe does. Default: nothing does.
	Log io.Writer
}

var functionName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// withDefaults fills what is not set.
func (f Function) withDefaults() Function {
	if absolute, err := filepath.Abs(f.Bootstrap); err == nil { // a process is started in its Directory, where a relative path leads elsewhere
		f.Bootstrap = absolute
	}
	f.Environment = maps.Clone(f.Environment)
	f.Directory = cmp.Or(f.Directory, filepath.Dir(f.Bootstrap))
	f.MemoryMB = cmp.Or(f.MemoryMB, DefaultMemoryMB)
	f.Timeout = cmp.Or(f.Timeout, DefaultTimeout)
	f.MaxConcurrency = cmp.Or(f.MaxConcurrency, DefaultMaxConcurrency)
	f.Log = cmp.Or(f.Log, io.Discard)
	return f
}

// validate joins everything that is wrong with a function whose defaults are filled in.
func (f Function) validate() error {
	var problems []error
	check := func(fine bool, format string, args ...any) {
		if !fine {
			problems = append(problems, fmt.Errorf("function %q: "+format, append([]any{f.Name}, args...)...))
		}
	}
	_, err := exec.LookPath(f.Bootstrap)
	check(err == nil, "bootstrap: %w", err)
	check(functionName.MatchString(f.Name), "the name must match %s", functionName)
	check(f.Timeout > 0 && f.Timeout <= MaxTimeout, "timeout %s is outside 0 to %s", f.Timeout, MaxTimeout)
	check(f.MaxConcurrency > 0 && f.MaxWait >= 0, "maximum concurrency and wait must not be negative")
	return errors.Join(problems...)
}
