package secrets

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/awsconn"
	"github.com/millrace-dev/millrace/pkg/config"
)

// Resolver looks secrets up. It is safe for concurrent use.
type Resolver struct{ cfg aws.Config }

var _ config.Resolver = (*Resolver)(nil)

// New returns a resolver with an AWS configuration.
func New(cfg aws.Config) *Resolver {
	cfg.HTTPClient = awsconn.KeepConnections(cfg.HTTPClient)
	return &Resolver{cfg}
}

// Resolve returns the value of a reference. No error holds a value.
func (r *Resolver) Resolve(ctx context.Context, reference config.Reference) (string, error) {
	if reference.Scheme == config.SchemeEnv {
		return config.EnvResolver().Resolve(ctx, reference)
	}
	value, err := lookUp(ctx, &r.cfg, reference)
	if err != nil {
		return "", fmt.Errorf("%s: %w", reference, err)
	}
	return value, nil
}

func lookUp(ctx context.Context, cfg *aws.Config, reference config.Reference) (string, error) {
	if reference.Scheme == config.SchemeSSM {
		return parameter(ctx, cfg, reference.Name)
	}
	id, key, hasKey := strings.Cut(reference.Name, "#")
	text, err := secret(ctx, cfg, id)
	if err != nil || !hasKey {
		return text, err
	}
	return member(text, key)
}

// secret asks Secrets Manager, in the region of the ARN.
func secret(ctx context.Context, cfg *aws.Config, id string) (string, error) {
	var reply struct {
		SecretString *string `json:"SecretString"`
	}
	c := call{service: "secretsmanager", region: regionOf(id, cfg.Region), target: "secretsmanager.GetSecretValue"}
	if err := c.do(ctx, cfg, map[string]any{"SecretId": id}, &reply); err != nil {
		return "", err
	}
	if reply.SecretString == nil {
		return "", errors.New("the secret is binary; store it as text")
	}
	return *reply.SecretString, nil
}

// parameter asks Systems Manager, in the function's region.
func parameter(ctx context.Context, cfg *aws.Config, name string) (string, error) {
	var reply struct {
		Parameter struct {
			Value string `json:"Value"`
		} `json:"Parameter"`
	}
	c := call{service: "ssm", region: cfg.Region, target: "AmazonSSM.GetParameter"}
	err := c.do(ctx, cfg, map[string]any{"Name": name, "WithDecryption": true}, &reply)
	return reply.Parameter.Value, err
}

// regionOf reads arn:aws:secretsmanager:REGION:…; a plain name is in the function's region.
func regionOf(arn, otherwise string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 3 && parts[0] == "arn" {
		return parts[3]
	}
	return otherwise
}

// member returns one text of a secret that is a JSON object.
func member(text, key string) (string, error) {
	var object map[string]jsontext.Value
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return "", errors.New("the secret is no JSON object, so it has no keys; leave #KEY out") // the cause may quote it
	}
	raw, found := object[key]
	if !found {
		return "", fmt.Errorf("the secret has no key %q", key)
	}
	var value string
	if err := json.Unmarshal(raw, &value); err != nil {
		return "", fmt.Errorf("the secret's key %q is no text", key)
	}
	return value, nil
}
