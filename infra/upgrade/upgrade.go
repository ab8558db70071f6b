// Package upgrade decides whether a deployed stack may be updated by this version of
// Millrace. It is apart from the construct, which drags in the bindings of CDK.
package upgrade

import (
	"fmt"
	"strconv"
	"strings"
)

// Major counts changes after which a deployed stack cannot be updated in place: a resource
// that holds events gets another name, say. It is an output of every stack.
const Major = 1

// OutputMajor is the key of that output.
const OutputMajor = "MajorVersion"

// IsDeployed says whether a stack in that status was deployed completely once and is still
// there. What never was has nothing in it to lose.
func IsDeployed(status string) bool {
	for _, never := range []string{"REVIEW_", "CREATE_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_", "DELETE_"} {
		if strings.HasPrefix(status, never) {
			return false
		}
	}
	return true
}

// Check says why a stack may not be updated, from its outputs; nil means that there is none.
// A stack without outputs that is there is somebody else's.
func Check(stack string, outputs map[string]string) error {
	if outputs == nil {
		return nil
	}
	text, ours := outputs[OutputMajor]
	if !ours {
		return fmt.Errorf("the stack %s was not made by Millrace: choose another name with STACK=…", stack)
	}
	deployed, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return fmt.Errorf("the stack %s says that its major version is %q, which is no number", stack, text)
	case deployed < Major:
		return fmt.Errorf("the stack %s has major version %d and cannot be updated to %d in place: deploy %d beside it under another name, "+
			"let SDKs send there, and destroy %s when its queues are empty; CHANGELOG.md says what else changes, docs/deploy.md how",
			stack, deployed, Major, Major, stack)
	case deployed > Major:
		return fmt.Errorf("the stack %s has major version %d, and this is %d: deploy with the version that made it, or a newer one",
			stack, deployed, Major)
	}
	return nil
}
