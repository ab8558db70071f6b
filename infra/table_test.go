//nolint:paralleltest // CDK is one Node process, which answers one at a time
package millrace

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
)

func TestTable_Schema_IsWhatTheStoreWants(t *testing.T) {
	want := stringConstants(t, "../pkg/dedup/dynamo/item.go")
	if tableKey != want["KeyAttribute"] || tableTTL != want["TTLAttribute"] {
		t.Errorf("the table has key %q and time to live %q, the store wants %q and %q", tableKey, tableTTL, want["KeyAttribute"], want["TTLAttribute"])
	}
	table := synth(t, goodProps(t)).the(t, "AWS::DynamoDB::Table", "Dedup")
	rows := []struct{ name, path, want string }{
		{"the one key is binary", "Properties.AttributeDefinitions", `[{"AttributeName":"k","AttributeType":"B"}]`},
		{"it is the partition key", "Properties.KeySchema", `[{"AttributeName":"k","KeyType":"HASH"}]`},
		{"what is forgotten goes by itself", "Properties.TimeToLiveSpecification", `{"AttributeName":"ttl","Enabled":true}`},
		{"it costs nothing while idle", "Properties.BillingMode", `"PAY_PER_REQUEST"`},
		{"it can be restored", "Properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", "true"},
		{"it goes with the stack", "DeletionPolicy", `"Delete"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := at(t, table, row.path); got != row.want {
				t.Errorf("%s = %s, want %s", row.path, got, row.want)
			}
		})
	}
}

func TestTable_Off_LeavesNothingOfIt(t *testing.T) {
	props := goodProps(t)
	props.Store.Table = off
	tpl := synth(t, props)
	if got := at(t, tpl.the(t, "AWS::Lambda::Function", "Flush"), "Properties.Environment.Variables.MILLRACE_TABLE"); got != `""` {
		t.Errorf("flush is told of the table %s, want none", got)
	}
	if watched := tableMetrics(t, tpl); len(watched) > 0 {
		t.Errorf("alarms watch %q of a table that is not there", watched)
	}
	for _, call := range allowed(t, tpl, "Flush") {
		if call[:4] == "dyna" {
			t.Errorf("flush may still call %s", call)
		}
	}
}

// Dedup stands still when its table refuses reads, as much as when it refuses writes.
func TestTable_Alarms_WatchWritesAndReads(t *testing.T) {
	want := []string{"ReadThrottleEvents", "WriteThrottleEvents"}
	if watched := tableMetrics(t, synth(t, goodProps(t))); !slices.Equal(watched, want) {
		t.Errorf("alarms watch %q, want %q", watched, want)
	}
}

// tableMetrics are the metrics of DynamoDB that alarms watch, sorted.
func tableMetrics(t *testing.T, tpl template) (metrics []string) {
	t.Helper()
	for _, resource := range tpl["Resources"].(map[string]any) {
		resource := resource.(map[string]any)
		if resource["Type"] != "AWS::CloudWatch::Alarm" {
			continue
		}
		if properties := resource["Properties"].(map[string]any); properties["Namespace"] == "AWS/DynamoDB" {
			metrics = append(metrics, properties["MetricName"].(string))
		}
	}
	slices.Sort(metrics)
	return metrics
}

// stringConstants returns the string constants of a Go file, by name.
func stringConstants(t *testing.T, path string) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if value, err := strconv.Unquote(literal.Value); err == nil {
				values[spec.Names[0].Name] = value
			}
		}
		return true
	})
	return values
}
