package lambda

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gofrs/uuid/v5"

	"github.com/millrace-dev/millrace/internal/localaws/account"
)

// variables builds the environment of a process: the host's common ones, the function's own, then Lambda's, the later winning.
// Nothing leaks in from the host's own environment, as nothing does on AWS.
func variables(f Function, common map[string]string, runtimeAPI string) []string {
	list := []string{
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"HOME=" + os.TempDir(),
		"TMPDIR=" + os.TempDir(),
		// The SDKs refuse to start without credentials; these sign requests that nobody verifies.
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_SESSION_TOKEN=test",
	}
	for _, given := range []map[string]string{common, f.Environment} {
		for name, value := range given {
			list = append(list, name+"="+value)
		}
	}
	return append(list,
		"AWS_LAMBDA_RUNTIME_API="+runtimeAPI,
		"AWS_LAMBDA_FUNCTION_NAME="+f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION="+Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME="+logGroup(f.Name),
		"AWS_LAMBDA_LOG_STREAM_NAME="+fmt.Sprintf("%s/[%s]%x", time.Now().UTC().Format("2006/01/02"), Version, uuid.Must(uuid.NewV4()).Bytes()),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_FORMAT="+logFormat,
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"AWS_REGION="+account.Region,
		"AWS_DEFAULT_REGION="+account.Region,
		"LAMBDA_TASK_ROOT="+filepath.Dir(f.Bootstrap),
		"LAMBDA_RUNTIME_DIR="+filepath.Dir(f.Bootstrap),
		"_HANDLER=bootstrap",
	)
}

func logGroup(function string) string { return "/aws/lambda/" + function }
