package dynamodb_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/internal/localaws/dynamodb"
	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const table = "things"

// serve starts a service with a table whose key is k, a text.
func serve(t *testing.T, from *journal.Journal) *sdk.Client {
	t.Helper()
	service, err := dynamodb.Open(dynamodb.Options{}, from)
	if err != nil {
		t.Fatal(err)
	}
	if err := service.CreateTable(table, "k", "S", "ttl"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service)
	transport := &http.Transport{}
	t.Cleanup(func() { server.Close(); transport.CloseIdleConnections() })
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, HTTPClient: &http.Client{Transport: transport}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func put(t *testing.T, c *sdk.Client, it item) {
	t.Helper()
	if _, err := c.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String(table), Item: it}); err != nil {
		t.Fatalf("PutItem: %v", err)
	}
}

func get(t *testing.T, c *sdk.Client, key string) item {
	t.Helper()
	out, err := c.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String(table), Key: item{"k": text(key)}, ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatalf("GetItem: %v", err)
	}
	return out.Item
}

func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestService_Items_PutGet(t *testing.T) {
	t.Parallel()
	c := serve(t, nil)
	it := item{
		"k": text("a"), "n": &types.AttributeValueMemberN{Value: "1.50"}, "b": &types.AttributeValueMemberB{Value: []byte{0, 1}},
		"m": &types.AttributeValueMemberM{Value: item{"x": &types.AttributeValueMemberBOOL{Value: true}}},
	}
	put(t, c, it)
	got := get(t, c, "a")
	if n := got["n"].(*types.AttributeValueMemberN).Value; n != "1.50" || len(got) != len(it) {
		t.Errorf("got %v, want what was put", got)
	}
	if other := get(t, c, "A"); other != nil {
		t.Errorf("another key has %v", other)
	}
	put(t, c, item{"k": text("a")})
	if got := get(t, c, "a"); len(got) != 1 {
		t.Errorf("after another put: %v, want that alone", got)
	}
}

func TestService_ConditionFails_NothingIsWritten(t *testing.T) {
	t.Parallel()
	c := serve(t, nil)
	put(t, c, item{"k": text("a"), "who": text("first")})
	for _, wanted := range []types.ReturnValuesOnConditionCheckFailure{"", types.ReturnValuesOnConditionCheckFailureAllOld} {
		_, err := c.PutItem(t.Context(), &sdk.PutItemInput{
			TableName: aws.String(table), Item: item{"k": text("a"), "who": text("second")},
			ConditionExpression: aws.String("attribute_not_exists(k)"), ReturnValuesOnConditionCheckFailure: wanted,
		})
		refusal, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
		if !ok || (refusal.Item != nil) != (wanted != "") {
			t.Errorf("PutItem, asked for %q: %v with %v", wanted, err, refusal)
		}
	}
	if got := get(t, c, "a")["who"]; got.(*types.AttributeValueMemberS).Value != "first" {
		t.Errorf("the item is now %v", got)
	}
}

// However many write at once, one meets the condition.
func TestService_ConditionConcurrently_HoldsOnce(t *testing.T) {
	t.Parallel()
	c := serve(t, nil)
	var wg sync.WaitGroup
	wins := make(chan string, 16)
	for i := range cap(wins) {
		wg.Go(func() {
			_, err := c.PutItem(t.Context(), &sdk.PutItemInput{
				TableName: aws.String(table), Item: item{"k": text("a"), "n": text(fmt.Sprint(i))}, ConditionExpression: aws.String("attribute_not_exists(k)"),
			})
			if err == nil {
				wins <- fmt.Sprint(i)
			}
		})
	}
	wg.Wait()
	if len(wins) != 1 {
		t.Errorf("%d of %d won, want 1", len(wins), cap(wins))
	}
}

func TestService_Reads_OfMany(t *testing.T) {
	t.Parallel()
	c := serve(t, nil)
	const n = 25
	var keys []item
	for i := range n {
		key := fmt.Sprintf("%02d", i)
		put(t, c, item{"k": text(key)})
		keys = append(keys, item{"k": text(key)})
	}
	keys = append(keys, item{"k": text("missing")})
	out, err := c.BatchGetItem(t.Context(), &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: {Keys: keys}}})
	if err != nil || len(out.Responses[table]) != n || len(out.UnprocessedKeys) != 0 {
		t.Errorf("BatchGetItem: %d items, %v, want %d", len(out.Responses[table]), err, n)
	}
	pages, seen := 0, 0
	scan := sdk.NewScanPaginator(c, &sdk.ScanInput{TableName: aws.String(table), Limit: aws.Int32(10)})
	for scan.HasMorePages() {
		page, err := scan.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pages, seen = pages+1, seen+len(page.Items)
	}
	if seen != n || pages != 3 {
		t.Errorf("Scan: %d items in %d pages, want %d in 3", seen, pages, n)
	}
	count, err := c.Scan(t.Context(), &sdk.ScanInput{TableName: aws.String(table), Select: types.SelectCount})
	if err != nil || count.Count != n || len(count.Items) != 0 {
		t.Errorf("Scan for a count: %v, %v", count, err)
	}
}

func TestService_Tables_MakeAndLook(t *testing.T) {
	t.Parallel()
	c := serve(t, nil)
	create := func(name string) error {
		_, err := c.CreateTable(t.Context(), &sdk.CreateTableInput{
			TableName: &name, BillingMode: types.BillingModePayPerRequest,
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeB}},
		})
		return err
	}
	if err := create("other"); err != nil {
		t.Fatal(err)
	}
	if got := code(create("other")); got != "ResourceInUseException" {
		t.Errorf("the same again: %s", got)
	}
	list, err := c.ListTables(t.Context(), &sdk.ListTablesInput{})
	if err != nil || fmt.Sprint(list.TableNames) != "[other things]" {
		t.Errorf("ListTables: %v, %v", list.TableNames, err)
	}
	described, err := c.DescribeTable(t.Context(), &sdk.DescribeTableInput{TableName: aws.String("other")})
	if err != nil || described.Table.TableStatus != types.TableStatusActive {
		t.Errorf("DescribeTable: %v, %v", described, err)
	}
	if _, err := c.DescribeTable(t.Context(), &sdk.DescribeTableInput{TableName: aws.String("none")}); code(err) != "ResourceNotFoundException" {
		t.Errorf("DescribeTable of none: %v", err)
	}
}

// Expired items go some time later, the others stay.
func TestService_TimeToLive_RemovesExpiredItemsInTheEnd(t *testing.T) {
	t.Parallel()
	c := serve(t, nil)
	past, future := &types.AttributeValueMemberN{Value: "1000"}, &types.AttributeValueMemberN{Value: "99999999999"}
	put(t, c, item{"k": text("kept"), "ttl": future})
	put(t, c, item{"k": text("expired"), "ttl": past})
	if get(t, c, "expired") == nil {
		t.Error("an expired item went at once: code that relies on that breaks on AWS")
	}
	for i := range 600 {
		put(t, c, item{"k": text(fmt.Sprint(i)), "ttl": past})
	}
	if get(t, c, "expired") != nil || get(t, c, "kept") == nil {
		t.Errorf("expired: %v, kept: %v", get(t, c, "expired"), get(t, c, "kept"))
	}
}

func TestService_OnDisk_SurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, want := range []int{0, 1} {
		log, err := journal.Open(journal.Options{Dir: dir, Version: dynamodb.JournalVersion})
		if err != nil {
			t.Fatal(err)
		}
		c := serve(t, log)
		if got := len(get(t, c, "a")); got != want {
			t.Errorf("%d attributes, want %d", got, want)
		}
		put(t, c, item{"k": text("a")})
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String(table), Item: item{"k": text("late")}}); err == nil {
			t.Error("a write that cannot reach the disk was answered as done")
		}
	}
}

// What is not emulated, or wrong, is told in AWS's words.
func TestService_Refusals(t *testing.T) {
	t.Parallel()
	service, err := dynamodb.Open(dynamodb.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := service.CreateTable(table, "k", "S", ""); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, op, body, want string }{
		{"unknown operation", "Query", `{}`, "UnknownOperationException"},
		{"not JSON", "PutItem", `{`, "SerializationException"},
		{"a parameter that is not emulated", "PutItem", `{"TableName":"things","Item":{"k":{"S":"a"}},"Expected":{}}`, "SerializationException"},
		{"missing table", "PutItem", `{"TableName":"none","Item":{"k":{"S":"a"}}}`, "ResourceNotFoundException"},
		{"missing table on read", "GetItem", `{"TableName":"none","Key":{"k":{"S":"a"}}}`, "ResourceNotFoundException"},
		{"missing table on scan", "Scan", `{"TableName":"none"}`, "ResourceNotFoundException"},
		{"no key", "PutItem", `{"TableName":"things","Item":{"x":{"S":"a"}}}`, "ValidationException"},
		{"an empty key", "PutItem", `{"TableName":"things","Item":{"k":{"S":""}}}`, "ValidationException"},
		{"a long key", "PutItem", `{"TableName":"things","Item":{"k":{"S":"` + strings.Repeat("k", 2049) + `"}}}`, "ValidationException"},
		{"a key of another type", "PutItem", `{"TableName":"things","Item":{"k":{"N":"1"}}}`, "ValidationException"},
		{"more than a key", "GetItem", `{"TableName":"things","Key":{"k":{"S":"a"},"x":{"S":"b"}}}`, "ValidationException"},
		{"two types", "PutItem", `{"TableName":"things","Item":{"k":{"S":"a","N":"1"}}}`, "ValidationException"},
		{"no type", "PutItem", `{"TableName":"things","Item":{"k":{}}}`, "ValidationException"},
		{"an unknown type", "PutItem", `{"TableName":"things","Item":{"k":{"Z":"a"}}}`, "ValidationException"},
		{"a number that is none", "PutItem", `{"TableName":"things","Item":{"k":{"S":"a"},"n":{"N":"one"}}}`, "ValidationException"},
		{"a number that would fill memory", "PutItem", `{"TableName":"things","Item":{"k":{"S":"a"},"n":{"N":"1e999999999"}}}`, "ValidationException"},
		{"bytes that are not base64", "PutItem", `{"TableName":"things","Item":{"k":{"S":"a"},"b":{"B":"!"}}}`, "SerializationException"},
		{"an item over 400 KB", "PutItem", `{"TableName":"things","Item":{"k":{"S":"a"},"s":{"S":"` + strings.Repeat("s", 410<<10) + `"}}}`, "ValidationException"},
		{"a value that is wrong", "PutItem", `{"TableName":"things","Item":{"k":{"S":"a"}},"ExpressionAttributeValues":{":v":{}}}`, "ValidationException"},
		{"a condition that is wrong", "PutItem", `{"TableName":"things","Item":{"k":{"S":"a"}},"ConditionExpression":"k"}`, "ValidationException"},
		{"old values", "PutItem", `{"TableName":"things","Item":{"k":{"S":"a"}},"ReturnValues":"ALL_OLD"}`, "SerializationException"},
		{"a delete", "DeleteItem", `{"TableName":"things","Key":{"k":{"S":"a"}}}`, "UnknownOperationException"},
		{"no keys", "BatchGetItem", `{"RequestItems":{}}`, "ValidationException"},
		{"a key twice", "BatchGetItem", `{"RequestItems":{"things":{"Keys":[{"k":{"S":"a"}},{"k":{"S":"a"}}]}}}`, "ValidationException"},
		{"too many keys", "BatchGetItem", `{"RequestItems":{"things":{"Keys":[` + manyKeys(101) + `]}}}`, "ValidationException"},
		{"a sort key", "CreateTable", `{"TableName":"two","KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"}]}`, "ValidationException"},
		{"a bad name", "CreateTable", `{"TableName":"a/b"}`, "ValidationException"},
		{"a key that is a number", "CreateTable", `{"TableName":"num","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"a","AttributeType":"N"}]}`, "ValidationException"},
		{"a page of less than nothing", "Scan", `{"TableName":"things","Limit":-1}`, "ValidationException"},
		{"a page that starts nowhere", "Scan", `{"TableName":"things","ExclusiveStartKey":{"x":{"S":"a"}}}`, "ValidationException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
			request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+tt.op)
			reply := httptest.NewRecorder()
			service.ServeHTTP(reply, request)
			body, _ := io.ReadAll(reply.Body)
			if !strings.Contains(string(body), "#"+tt.want+`"`) || reply.Code < 400 {
				t.Errorf("%d %s, want %s", reply.Code, body, tt.want)
			}
		})
	}
}

func manyKeys(n int) string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf(`{"k":{"S":"%d"}}`, i)
	}
	return strings.Join(keys, ",")
}
