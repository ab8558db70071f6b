// Package secrets resolves the references to secrets in millrace.yaml where a function
// runs: ${env:NAME} from its environment, ${secret:ARN#KEY} from AWS Secrets Manager and
// ${ssm:/PATH} from the parameters of AWS Systems Manager.
//
// Both services are asked with one signed HTTP request for one reference. Their SDK clients
// know a hundred operations more, and would add a fifth to the size of the flush function.
//
// The deployment grants secretsmanager:GetSecretValue and ssm:GetParameter on exactly what
// the configuration refers to. A parameter or secret that is encrypted with a KMS key of
// your own needs kms:Decrypt on that key besides.
package secrets
