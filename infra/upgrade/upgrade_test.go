package upgrade

import (
	"strings"
	"testing"
)

func TestCheck_DeployedStack_IsUpdatedOrRefused(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name    string
		outputs map[string]string
		want    string
	}{
		{"a stack that is not there yet", nil, ""},
		{"the same major version", map[string]string{"MajorVersion": "1", "ApiUrl": "https://a.example"}, ""},
		{"an older major version", map[string]string{"MajorVersion": "0"}, "prod has major version 0 and cannot be updated to 1 in place"},
		{"a newer major version", map[string]string{"MajorVersion": "2"}, "prod has major version 2, and this is 1"},
		{"somebody else's stack", map[string]string{"BucketName": "b"}, "prod was not made by Millrace"},
		{"somebody else's stack without outputs", map[string]string{}, "prod was not made by Millrace"},
		{"a version that is none", map[string]string{"MajorVersion": "v1"}, `"v1", which is no number`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			err := Check("prod", row.outputs)
			switch {
			case row.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
				t.Errorf("got %v, want an error that says %q", err, row.want)
			}
		})
	}
}

func TestIsDeployed_ByStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]bool{
		"CREATE_COMPLETE": true, "UPDATE_COMPLETE": true, "UPDATE_ROLLBACK_COMPLETE": true, "UPDATE_IN_PROGRESS": true,
		"IMPORT_COMPLETE": true, "IMPORT_ROLLBACK_COMPLETE": true,
		"REVIEW_IN_PROGRESS": false, "CREATE_IN_PROGRESS": false, "CREATE_FAILED": false, "ROLLBACK_COMPLETE": false, "ROLLBACK_FAILED": false,
		"DELETE_COMPLETE": false, "DELETE_FAILED": false,
	} {
		if got := IsDeployed(status); got != want {
			t.Errorf("IsDeployed(%s) = %v, want %v", status, got, want)
		}
	}
}
