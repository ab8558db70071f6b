package s3_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
	"github.com/millrace-dev/millrace/internal/localaws/s3"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const bucket = "claims"

// endpoint is a service with one bucket, on a listener of its own.
type endpoint struct {
	*sdk.Client
	url string
}

// open starts a service on a disk; stop ends it in good order.
func open(t *testing.T, disk vfs.FS, dir string) (e endpoint, stop func()) {
	t.Helper()
	kept, err := journal.Open(journal.Options{Dir: dir, Version: s3.JournalVersion, FileSystem: disk})
	if err != nil {
		t.Fatal(err)
	}
	service := s3.New(kept)
	if err := service.EnsureBucket(bucket); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service)
	transport := &http.Transport{}
	client := sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, HTTPClient: &http.Client{Transport: transport}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "token"),
	})
	return endpoint{client, server.URL}, func() {
		transport.CloseIdleConnections()
		server.Close()
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	}
}

// serve is open on a disk in memory, until the test ends.
func serve(t *testing.T) endpoint {
	t.Helper()
	e, stop := open(t, vfs.NewMem(), "objects")
	t.Cleanup(stop)
	return e
}

func (e endpoint) put(t *testing.T, key string, content []byte) {
	t.Helper()
	if _, err := e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: bytes.NewReader(content)}); err != nil {
		t.Fatalf("PutObject %s: %v", key, err)
	}
}

func (e endpoint) get(t *testing.T, key string) []byte {
	t.Helper()
	out, err := e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: aws.String(bucket), Key: &key})
	if err != nil {
		t.Fatalf("GetObject %s: %v", key, err)
	}
	content, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatalf("GetObject %s: %v", key, err)
	}
	return content
}

// do sends a request that no SDK would.
func (e endpoint) do(t *testing.T, method, path string, header http.Header, body io.Reader) (status int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, e.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

// noise is incompressible and the same in every run.
func noise(size int) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
	return content
}

func TestService_Objects_ComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, key string
		content   []byte
	}{
		{"an event", "2026/11/21/a.json", []byte(`{"a":1}`)},
		{"nothing", "empty", []byte{}},
		{"a key with everything", "ä b/+%2F?&=#.zst", []byte("x")},
		{"six megabytes", "big", noise(6 << 20)},
		{"more than the journal's memory table", "huge", noise(20 << 20)},
	}
	e := serve(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e.put(t, test.key, test.content)
			if got := e.get(t, test.key); !bytes.Equal(got, test.content) {
				t.Errorf("got %d bytes, want %d, equal ones", len(got), len(test.content))
			}
		})
	}
}

func TestService_PutObject_ReplacesMetadataAndAll(t *testing.T) {
	t.Parallel()
	e := serve(t)
	_, err := e.PutObject(t.Context(), &sdk.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String("k"), Body: strings.NewReader("first"),
		ContentType: aws.String("application/zstd"), Metadata: map[string]string{"tenant": "acme", "old": "1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.PutObject(t.Context(), &sdk.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String("k"), Body: strings.NewReader("second one"),
		ContentType: aws.String("text/plain"), Metadata: map[string]string{"tenant": "other"},
	})
	if err != nil {
		t.Fatal(err)
	}
	head, err := e.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{*head.ContentType, strconv.FormatInt(*head.ContentLength, 10), *head.ETag, fmt.Sprint(head.Metadata)}
	want := []string{"text/plain", "10", `"cf2611453f48129f1c589358df9fa43b"`, "map[tenant:other]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("HeadObject (-want +got):\n%s", diff)
	}
}

func TestService_GetObject_Range(t *testing.T) {
	t.Parallel()
	e := serve(t)
	e.put(t, "k", []byte("0123456789"))
	tests := []struct{ name, asked, want, code string }{
		{"from to", "bytes=2-4", "234", ""},
		{"to the end", "bytes=8-", "89", ""},
		{"the last", "bytes=-3", "789", ""},
		{"beyond the end", "bytes=10-", "", "InvalidRange"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			out, err := e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("k"), Range: &test.asked})
			if test.code != "" {
				if code(err) != test.code {
					t.Errorf("got %v, want %s", err, test.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(out.Body)
			if err != nil || string(got) != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestService_Delete_IsForgiving(t *testing.T) {
	t.Parallel()
	e := serve(t)
	for _, key := range []string{"a", "b", "c"} {
		e.put(t, key, []byte(key))
	}
	for range 2 { // deleting what is gone is no error
		if _, err := e.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("a")}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := e.DeleteObjects(t.Context(), &sdk.DeleteObjectsInput{Bucket: aws.String(bucket), Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String("b")}, {Key: aws.String("never was")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"c"}, e.list(t, &sdk.ListObjectsV2Input{})); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

// list returns all keys and common prefixes, page by page.
func (e endpoint) list(t *testing.T, in *sdk.ListObjectsV2Input) (all []string) {
	t.Helper()
	in.Bucket = aws.String(bucket)
	pages := sdk.NewListObjectsV2Paginator(e.Client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page.Contents {
			all = append(all, *object.Key)
		}
		for _, prefix := range page.CommonPrefixes {
			all = append(all, *prefix.Prefix)
		}
	}
	return all
}

func TestService_ListObjects(t *testing.T) {
	t.Parallel()
	e := serve(t)
	for _, key := range []string{"a/1", "a/2", "a/3", "b", "c/1", "c/2", "d"} {
		e.put(t, key, []byte(key))
	}
	tests := []struct {
		name string
		in   sdk.ListObjectsV2Input
		want []string
	}{
		{"everything", sdk.ListObjectsV2Input{}, []string{"a/1", "a/2", "a/3", "b", "c/1", "c/2", "d"}},
		{"page by page", sdk.ListObjectsV2Input{MaxKeys: aws.Int32(2)}, []string{"a/1", "a/2", "a/3", "b", "c/1", "c/2", "d"}},
		{"a prefix", sdk.ListObjectsV2Input{Prefix: aws.String("a/")}, []string{"a/1", "a/2", "a/3"}},
		{"folders, one a page", sdk.ListObjectsV2Input{Delimiter: aws.String("/"), MaxKeys: aws.Int32(1)}, []string{"a/", "b", "c/", "d"}},
		{"after a key", sdk.ListObjectsV2Input{StartAfter: aws.String("b")}, []string{"c/1", "c/2", "d"}},
		{"nothing", sdk.ListObjectsV2Input{Prefix: aws.String("z")}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, e.list(t, &test.in)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestService_Errors_AreAWSs(t *testing.T) {
	t.Parallel()
	e := serve(t)
	e.put(t, "there", []byte("x"))
	name, there, missing := aws.String(bucket), aws.String("there"), aws.String("missing")
	tests := []struct {
		name string
		call func() error
		want string
	}{
		{"an object that is not there", func() error {
			_, err := e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: name, Key: missing})
			return err
		}, "NoSuchKey"},
		{"its head, which has no body to say more", func() error {
			_, err := e.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: name, Key: missing})
			return err
		}, "NotFound"},
		{"a bucket that is not there", func() error {
			_, err := e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: missing, Key: there, Body: strings.NewReader("x")})
			return err
		}, "NoSuchBucket"},
		{"a bucket that is", func() error {
			_, err := e.CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: name})
			return err
		}, "BucketAlreadyExists"},
		{"a bucket with something in it", func() error {
			_, err := e.DeleteBucket(t.Context(), &sdk.DeleteBucketInput{Bucket: name})
			return err
		}, "BucketNotEmpty"},
		{"a put that must be the first", func() error {
			_, err := e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: name, Key: there, Body: strings.NewReader("y"), IfNoneMatch: aws.String("*")})
			return err
		}, "PreconditionFailed"},
		{"a put over another version", func() error {
			_, err := e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: name, Key: there, Body: strings.NewReader("y"), IfMatch: aws.String(`"00"`)})
			return err
		}, "PreconditionFailed"},
		{"tags", func() error {
			_, err := e.PutObjectTagging(t.Context(), &sdk.PutObjectTaggingInput{
				Bucket: name, Key: there, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: name, Value: name}}},
			})
			return err
		}, "NotImplemented"},
		{"a lifecycle", func() error {
			_, err := e.GetBucketLifecycleConfiguration(t.Context(), &sdk.GetBucketLifecycleConfigurationInput{Bucket: name})
			return err
		}, "NotImplemented"},
		{"versions", func() error {
			_, err := e.ListObjectVersions(t.Context(), &sdk.ListObjectVersionsInput{Bucket: name})
			return err
		}, "NotImplemented"},
	}
	for _, test := range tests {
		if err := test.call(); code(err) != test.want {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
	if got := e.get(t, "there"); string(got) != "x" {
		t.Errorf("a refused call changed the object to %q", got)
	}
}

func TestService_BadInput(t *testing.T) {
	t.Parallel()
	e := serve(t)
	tests := []struct {
		name, method, path string
		header             http.Header
		body               io.Reader
		status             int
		text               string
	}{
		{"too large", "PUT", "/claims/k", http.Header{
			"X-Amz-Content-Sha256": {"STREAMING-UNSIGNED-PAYLOAD-TRAILER"}, "X-Amz-Decoded-Content-Length": {"999999999999"},
		}, strings.NewReader("0\r\n\r\n"), 400, "EntityTooLarge"},
		{"chunks of no stated length", "PUT", "/claims/k", http.Header{"X-Amz-Content-Sha256": {"STREAMING-UNSIGNED-PAYLOAD-TRAILER"}}, nil, 411, "MissingContentLength"},
		{"chunks cut short", "PUT", "/claims/k", http.Header{
			"X-Amz-Content-Sha256": {"STREAMING-UNSIGNED-PAYLOAD-TRAILER"}, "X-Amz-Decoded-Content-Length": {"5"},
		}, strings.NewReader("3\r\nabc\r\n0\r\n\r\n"), 400, "IncompleteBody"},
		{"another digest than the body's", "PUT", "/claims/k", http.Header{"Content-Md5": {"1B2M2Y8AsgTpgAmY7PhCfg=="}}, strings.NewReader("x"), 400, "BadDigest"},
		{"a bucket's name with capitals", "PUT", "/Claims", nil, nil, 400, "InvalidBucketName"},
		{"a key that is too long", "PUT", "/claims/" + strings.Repeat("k", 1025), nil, strings.NewReader("x"), 400, "KeyTooLong"},
		{"a method that S3 does not have (there: 405)", "PATCH", "/claims/k", nil, nil, 400, "MethodNotAllowed"},
		{"an upload that nobody began", "PUT", "/claims/k?uploadId=1&partNumber=1", nil, strings.NewReader("x"), 404, "NoSuchUpload"},
		{"no XML", "POST", "/claims?delete", nil, strings.NewReader("{}"), 400, "MalformedXML"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, text := e.do(t, test.method, test.path, test.header, test.body)
			if status != test.status || !strings.Contains(text, test.text) {
				t.Errorf("got %d %s, want %d with %s", status, text, test.status, test.text)
			}
		})
	}
	if got := e.list(t, &sdk.ListObjectsV2Input{}); len(got) > 0 {
		t.Errorf("a refused call left %q", got)
	}
}

func TestService_PutObject_TakesChunksApart(t *testing.T) {
	t.Parallel()
	e := serve(t)
	tests := []struct{ name, kind, body string }{
		{"unsigned, with a checksum behind", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "6\r\nhello \r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"},
		{"signed", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "b;chunk-signature=" + strings.Repeat("0", 64) + "\r\nhello world\r\n0;chunk-signature=" + strings.Repeat("0", 64) + "\r\n\r\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := "/claims/" + strings.ReplaceAll(test.name, " ", "-")
			status, text := e.do(t, "PUT", path, http.Header{
				"X-Amz-Content-Sha256": {test.kind}, "X-Amz-Decoded-Content-Length": {"11"}, "Content-Encoding": {"aws-chunked"},
			}, strings.NewReader(test.body))
			if status != http.StatusOK {
				t.Fatalf("PUT: %d %s", status, text)
			}
			if status, text = e.do(t, "GET", path, nil, nil); status != http.StatusOK || text != "hello world" {
				t.Errorf("GET: %d %q", status, text)
			}
		})
	}
}

func TestService_PutObject_KeepsTheOtherCodings(t *testing.T) {
	t.Parallel()
	e := serve(t)
	for _, codings := range []string{"gzip,aws-chunked", "aws-chunked, gzip"} {
		status, text := e.do(t, "PUT", "/claims/k", http.Header{
			"X-Amz-Content-Sha256": {"STREAMING-UNSIGNED-PAYLOAD-TRAILER"}, "X-Amz-Decoded-Content-Length": {"1"}, "Content-Encoding": {codings},
		}, strings.NewReader("1\r\nx\r\n0\r\n\r\n"))
		if status != http.StatusOK {
			t.Fatalf("PUT with %s: %d %s", codings, status, text)
		}
		head, err := e.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("k")})
		if err != nil || aws.ToString(head.ContentEncoding) != "gzip" || aws.ToInt64(head.ContentLength) != 1 {
			t.Errorf("%s: got %q of %d bytes, %v; want gzip of 1", codings, aws.ToString(head.ContentEncoding), aws.ToInt64(head.ContentLength), err)
		}
	}
}

func TestService_MultipartUpload(t *testing.T) {
	t.Parallel()
	e := serve(t)
	name, key := aws.String(bucket), aws.String("archive")
	upload, err := e.CreateMultipartUpload(t.Context(), &sdk.CreateMultipartUploadInput{Bucket: name, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	whole := noise(7 << 20)
	var parts []types.CompletedPart
	for i, piece := range [][]byte{whole[:5<<20], whole[5<<20:]} {
		number := aws.Int32(int32(i + 1)) //nolint:gosec // one or two
		part, err := e.UploadPart(t.Context(), &sdk.UploadPartInput{Bucket: name, Key: key, UploadId: upload.UploadId, PartNumber: number, Body: bytes.NewReader(piece)})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{ETag: part.ETag, PartNumber: number})
	}
	_, err = e.CompleteMultipartUpload(t.Context(), &sdk.CompleteMultipartUploadInput{
		Bucket: name, Key: key, UploadId: upload.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(e.get(t, "archive"), whole) {
		t.Error("the object is not its parts")
	}
}

func TestService_Buckets_ListAndDelete(t *testing.T) {
	t.Parallel()
	e := serve(t)
	if _, err := e.CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: aws.String("archive")}); err != nil {
		t.Fatal(err)
	}
	out, err := e.ListBuckets(t.Context(), &sdk.ListBucketsInput{})
	if err != nil || len(out.Buckets) != 2 || *out.Buckets[0].Name != "archive" || *out.Buckets[1].Name != bucket {
		t.Errorf("ListBuckets: %+v, %v", out, err)
	}
	if _, err := e.DeleteBucket(t.Context(), &sdk.DeleteBucketInput{Bucket: aws.String("archive")}); err != nil {
		t.Fatal(err)
	}
	_, err = e.HeadBucket(t.Context(), &sdk.HeadBucketInput{Bucket: aws.String("archive")})
	if code(err) != "NotFound" {
		t.Errorf("HeadBucket of a deleted one: %v", err)
	}
}

func TestService_CopyObject(t *testing.T) {
	t.Parallel()
	e := serve(t)
	e.put(t, "from", []byte("x"))
	_, err := e.CopyObject(t.Context(), &sdk.CopyObjectInput{Bucket: aws.String(bucket), Key: aws.String("to"), CopySource: aws.String(bucket + "/from")})
	if err != nil || string(e.get(t, "to")) != "x" {
		t.Errorf("CopyObject: %v", err)
	}
}

// What is known of an object and its bytes were read one after the other, and a put between them gave the bytes of the one with
// the size of the other.
func TestService_GetObject_AmidPuts_IsOneOfThem(t *testing.T) {
	t.Parallel()
	e := serve(t)
	contents := [][]byte{noise(32 << 10), []byte("x")}
	e.put(t, "k", contents[0])
	stop := make(chan struct{})
	var putters sync.WaitGroup
	for range 4 {
		putters.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				body := bytes.NewReader(contents[n%len(contents)])
				if _, err := e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("k"), Body: body}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 500 {
		content := e.get(t, "k")
		if !bytes.Equal(content, contents[0]) && !bytes.Equal(content, contents[1]) {
			t.Errorf("got %d bytes that nobody put", len(content))
			break
		}
	}
	close(stop)
	putters.Wait()
}

func TestService_PutObject_OneOfManyIsTheFirst(t *testing.T) {
	t.Parallel()
	e := serve(t)
	var won atomic.Int32
	var writers sync.WaitGroup
	for i := range 16 {
		writers.Go(func() {
			_, err := e.PutObject(t.Context(), &sdk.PutObjectInput{
				Bucket: aws.String(bucket), Key: aws.String("k"), Body: strings.NewReader(strconv.Itoa(i)), IfNoneMatch: aws.String("*"),
			})
			if err == nil {
				won.Add(1)
			} else if code(err) != "PreconditionFailed" {
				t.Error(err)
			}
		})
		writers.Go(func() { e.put(t, "beside-"+strconv.Itoa(i), noise(1000)) })
	}
	writers.Wait()
	if won.Load() != 1 {
		t.Errorf("%d puts were the first, want 1", won.Load())
	}
	if got := e.list(t, &sdk.ListObjectsV2Input{}); len(got) != 17 {
		t.Errorf("%d objects, want 17", len(got))
	}
}

func TestService_Crash_LosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	disk := vfs.NewCrashableMem()
	first, stop := open(t, disk, "objects")
	first.put(t, "small", []byte("x"))
	first.put(t, "large", noise(6<<20))
	first.put(t, "gone", []byte("x"))
	if _, err := first.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("gone")}); err != nil {
		t.Fatal(err)
	}
	after := disk.CrashClone(vfs.CrashCloneCfg{}) // what is left when nothing unsynced is
	stop()
	second, stop := open(t, after, "objects")
	defer stop()
	if diff := cmp.Diff([]string{"large", "small"}, second.list(t, &sdk.ListObjectsV2Input{})); diff != "" {
		t.Errorf("after the crash (-want +got):\n%s", diff)
	}
	if !bytes.Equal(second.get(t, "large"), noise(6<<20)) {
		t.Error("the large object is another one")
	}
}

func TestService_Restart_KeepsObjects(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "objects")
	first, stop := open(t, vfs.Default, dir)
	first.put(t, "k", []byte("kept"))
	stop()
	second, stop := open(t, vfs.Default, dir)
	defer stop()
	if got := second.get(t, "k"); string(got) != "kept" {
		t.Errorf("got %q", got)
	}
}

// fullDisk has nothing left.
type fullDisk struct{ vfs.FS }

func (fullDisk) GetDiskUsage(string) (vfs.DiskUsage, error) { return vfs.DiskUsage{}, nil }

func TestService_DiskFull_RefusesPutsAndTakesDeletes(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	before, stop := open(t, disk, "objects")
	before.put(t, "k", []byte("x"))
	stop()
	e, stop := open(t, fullDisk{disk}, "objects")
	defer stop()
	_, err := e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("l"), Body: strings.NewReader("x")})
	if code(err) != "InternalError" || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("PutObject: %v", err)
	}
	if _, err := e.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("k")}); err != nil {
		t.Error(err)
	}
	if got := e.list(t, &sdk.ListObjectsV2Input{}); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
}

func TestService_Closed_Refuses(t *testing.T) {
	t.Parallel()
	kept, err := journal.Open(journal.Options{Dir: "objects", Version: s3.JournalVersion, FileSystem: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	service := s3.New(kept)
	if err := service.EnsureBucket("Not_A_Bucket"); err == nil {
		t.Error("a bad name is no error")
	}
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		for _, path := range []string{"/", "/claims", "/claims/k"} {
			reply := httptest.NewRecorder()
			service.ServeHTTP(reply, httptest.NewRequest(method, path, strings.NewReader("")))
			if reply.Code < 400 {
				t.Errorf("%s %s of a closed service: %d", method, path, reply.Code)
			}
		}
	}
}
