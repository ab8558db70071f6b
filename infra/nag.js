// Checks synthesised templates with cdk-nag's AwsSolutions rules:
//
//	NODE_PATH=…/node_modules node nag.js cdk.out/millrace.template.json …
//
// A finding is either fixed or explained in the template's own metadata (skip in nag.go), so
// what is printed here fails the check. Rules that cdk-nag could not evaluate fail it too.
const fs = require('node:fs');
const { App, Aspects, DefaultStackSynthesizer, Stack } = require('aws-cdk-lib');
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include');
const { Annotations, Match } = require('aws-cdk-lib/assertions');
const { AwsSolutionsChecks } = require('cdk-nag');

let findings = 0;
let explained = 0;
for (const file of process.argv.slice(2)) {
  const template = JSON.parse(fs.readFileSync(file, 'utf8'));
  for (const resource of Object.values(template.Resources)) {
    explained += resource.Metadata?.cdk_nag?.rules_to_suppress?.length ?? 0;
  }
  const stack = new Stack(new App(), 'Checked', {
    synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }),
  });
  new CfnInclude(stack, 'Template', { templateFile: file });
  Aspects.of(stack).add(new AwsSolutionsChecks({ verbose: true }));
  const annotations = Annotations.fromStack(stack);
  const all = [...annotations.findError('*', Match.anyValue()), ...annotations.findWarning('*', Match.anyValue())];
  for (const { id, entry } of all) {
    console.error(`${file}: ${id}: ${entry.data}`.trimEnd());
    findings += 1;
  }
}
console.log(`cdk-nag: ${process.argv.length - 2} templates, ${findings} findings, ${explained} explained`);
process.exit(findings === 0 ? 0 : 1);
