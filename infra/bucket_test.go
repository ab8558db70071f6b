//nolint:paralleltest // CDK is one Node process, which answers one at a time
package millrace

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBucket_Properties_KeepPacksPrivateAndNotForEver(t *testing.T) {
	if want := stringConstants(t, "../pkg/batch/claim.go")["claimPrefix"]; claimPrefix != want {
		t.Errorf("grants are for %s, packs are under %s", claimPrefix, want)
	}
	props := goodProps(t)
	props.Store.Bucket = on
	tpl := synth(t, props)
	bucket := tpl.the(t, "AWS::S3::Bucket", "")
	rows := []struct{ name, path, want string }{
		{"nobody makes it public", "Properties.PublicAccessBlockConfiguration", `{"BlockPublicAcls":true,"BlockPublicPolicy":true,"IgnorePublicAcls":true,"RestrictPublicBuckets":true}`},
		{"it is encrypted", "Properties.BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault.SSEAlgorithm", `"AES256"`},
		{"it empties itself", "Properties.LifecycleConfiguration.Rules.0.Status", `"Enabled"`},
		{"it stays, as it cannot be deleted while packs are in it", "DeletionPolicy", `"Retain"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := at(t, bucket, row.path); got != row.want {
				t.Errorf("%s = %s, want %s", row.path, got, row.want)
			}
		})
	}
	if got := at(t, tpl.the(t, "AWS::S3::BucketPolicy", ""), "Properties.PolicyDocument.Statement.0.Condition.Bool"); got != `{"aws:SecureTransport":"false"}` {
		t.Errorf("plain HTTP is refused on condition %s", got)
	}
	if got := at(t, tpl.the(t, "AWS::Lambda::Function", "Ingest"), "Properties.Environment.Variables.MILLRACE_BUCKET"); !strings.Contains(got, "LargePacks") {
		t.Errorf("ingest is told of the bucket %s", got)
	}
}

func TestBucket_Grants_AreForItsPacksOnly(t *testing.T) {
	props := goodProps(t)
	props.Store.Bucket = on
	tpl := synth(t, props)
	want := map[string][]string{
		"Ingest": {"s3:PutObject LargePacks/packs/*"},
		"Flush":  {"s3:GetObject LargePacks/packs/*", "s3:ListBucket LargePacks", "s3:PutObject LargePacks/packs/*"},
		"Replay": {"s3:GetObject LargePacks/packs/*", "s3:ListBucket LargePacks", "s3:PutObject LargePacks/packs/*"},
	}
	for function, calls := range want {
		got := slices.DeleteFunc(allowed(t, tpl, function), func(call string) bool { return !strings.HasPrefix(call, "s3:") })
		if diff := cmp.Diff(calls, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", function, diff)
		}
	}
}

func TestBucket_Lifecycle_OutlivesEveryMessage(t *testing.T) {
	rows := []struct {
		name           string
		packs, letters time.Duration
		want           string
	}{
		{"a letter of fourteen days", 96 * time.Hour, 336 * time.Hour, "15"},
		{"packs and letters of an hour", time.Hour, time.Hour, "2"},
		{"a day and a bit", time.Hour, 25 * time.Hour, "3"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			props := goodProps(t)
			props.Store.Bucket, props.Queue.Retention, props.Queue.DeadLetterRetention = on, row.packs, row.letters
			got := at(t, synth(t, props).the(t, "AWS::S3::Bucket", ""), "Properties.LifecycleConfiguration.Rules.0.ExpirationInDays")
			if got != row.want {
				t.Errorf("objects are kept for %s days, want %s", got, row.want)
			}
		})
	}
}

func TestBucket_KMSKey_EncryptsItToo(t *testing.T) {
	props := goodProps(t)
	withKey(&props)
	props.Store.Bucket = on
	const path = "Properties.BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault.KMSMasterKeyID"
	if got := at(t, synth(t, props).the(t, "AWS::S3::Bucket", ""), path); got != `"arn:aws:kms:eu-west-1:111122223333:key/a"` {
		t.Errorf("the bucket is encrypted with %s", got)
	}
}
