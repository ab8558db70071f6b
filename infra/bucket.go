package millrace

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
)

// claimPrefix is what the keys of all packs in the bucket begin with. A test compares it
// with the constant of pkg/batch, which is nobody else's business there.
const claimPrefix = "packs/"

// addBucket makes the bucket for the events of packs that do not fit a message. It stays
// when the stack is destroyed: CloudFormation cannot delete a bucket that is not empty, and
// this one empties itself. It gets a name of its own each time, so none is in the way.
func (e *BatchExporter) addBucket() {
	if e.props.Store.Bucket == off {
		return
	}
	props := &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(e.props.Queue.TLSOnly == on),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Id: jsii.String("packs"), Expiration: awscdk.Duration_Days(jsii.Number(float64(e.claimDays()))),
		}},
	}
	if e.key != nil {
		props.Encryption, props.EncryptionKey, props.BucketKeyEnabled = awss3.BucketEncryption_KMS, e.key, jsii.Bool(true)
	}
	e.Bucket = awss3.NewBucket(e.Construct, jsii.String("LargePacks"), props)
	skip(e.Bucket, "AwsSolutions-S1", "Three roles can reach the bucket, and only its packs; access logs would be a second bucket for them.")
	if e.props.Queue.TLSOnly == off {
		skip(e.Bucket, "AwsSolutions-S10", "Queue.TLSOnly is off: an emulator's endpoint is plain HTTP on loopback.")
	}
}

// claimDays is how long objects are kept: as long as the message that claims one may live,
// and a day for the clocks. Each further message, a residue or a letter, stores it anew.
func (e *BatchExporter) claimDays() int {
	const day = 24 * time.Hour
	longest := max(e.props.Queue.Retention, e.props.Queue.DeadLetterRetention)
	return int((longest+day-1)/day) + 1
}

// bucketName is what functions know the bucket by, "" when there is none.
func (e *BatchExporter) bucketName() *string {
	if e.Bucket == nil {
		return jsii.String("")
	}
	return e.Bucket.BucketName()
}

// grantBucket lets each function store packs, and those that take letters or packs off a
// queue read them. S3 says that an object is missing only to who may list.
func (e *BatchExporter) grantBucket() {
	if e.Bucket == nil {
		return
	}
	packs := e.Bucket.ArnForObjects(jsii.String(claimPrefix + "*"))
	allow(e.Ingest.Role(), []string{"s3:PutObject"}, packs)
	allow(e.Flush.Role(), []string{"s3:PutObject", "s3:GetObject"}, packs)
	allow(e.Flush.Role(), []string{"s3:ListBucket"}, e.Bucket.BucketArn())
	allow(e.Replay.Role(), []string{"s3:PutObject", "s3:GetObject"}, packs)
	allow(e.Replay.Role(), []string{"s3:ListBucket"}, e.Bucket.BucketArn())
	for _, role := range e.roles() {
		skip(role.Node().FindChild(jsii.String("DefaultPolicy")), "AwsSolutions-IAM5",
			"Objects are named after what is in them: "+claimPrefix+"* is all packs of one bucket.")
	}
}
