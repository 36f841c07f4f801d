import { expect, test } from "bun:test";
import { PROTOCOLS, type Protocol } from "../../src/model/protocol.ts";
import {
  CLASSIFIERS,
  classifierFor,
  classifierForProgram,
  guessProtocol,
} from "../../src/protocols/registry.ts";

test("the registry lists exactly one classifier a protocol, in the protocols' order", () => {
  expect(CLASSIFIERS.map((classifier) => classifier.protocol)).toEqual([...PROTOCOLS]);
  for (const protocol of PROTOCOLS) expect(classifierFor(protocol).protocol).toBe(protocol);
});

test("no program is claimed by two classifiers, and no scope keyword repeats within one", () => {
  const programs = CLASSIFIERS.flatMap((classifier) => classifier.programs);
  expect(new Set(programs).size).toBe(programs.length);
  for (const { scopes } of CLASSIFIERS)
    expect(new Set(scopes.map((one) => one.keyword)).size).toBe(scopes.length);
});

test("the programs of the manual find their classifier, by name, by path and with .exe", () => {
  const rows: readonly (readonly [string, Protocol])[] = [
    ["kubectl", "kubectl"],
    ["kustomize", "kubectl"],
    ["/usr/local/bin/kubectl", "kubectl"],
    ["C:\\tools\\kubectl.exe", "kubectl"],
    ["gcloud", "gcloud"],
    ["aws", "aws"],
    ["gh", "github"],
    ["terraform", "terraform"],
    ["tofu", "terraform"],
    ["helm", "helm"],
    ["wrangler", "cloudflare"],
    ["flarectl", "cloudflare"],
    ["fly", "fly"],
    ["flyctl", "fly"],
  ];
  for (const [program, protocol] of rows) expect(classifierForProgram(program)?.protocol).toBe(protocol);
  for (const program of ["", "rm", "kubectl-delete", "Kubectl "])
    expect(classifierForProgram(program)).toBeUndefined();
});

test("the scope keywords of the manual belong to their protocols", () => {
  const rows: readonly (readonly [Protocol, string, string])[] = [
    ["kubectl", "namespaces", "namespace"],
    ["gcloud", "projects", "project"],
    ["gcloud", "regions", "region"],
    ["gcloud", "zones", "zone"],
    ["gcloud", "orgs", "organization"],
    ["fly", "apps", "app"],
    ["fly", "orgs", "org"],
  ];
  for (const [protocol, keyword, label] of rows)
    expect(classifierFor(protocol).scopes).toContainEqual(expect.objectContaining({ keyword, label }));
});

test("well-known hosts are guessed, all others are generic", () => {
  const rows: readonly (readonly [string, Protocol])[] = [
    ["a1b2.gr7.us-east-1.eks.amazonaws.com", "kubectl"],
    ["eks.us-east-1.amazonaws.com", "aws"],
    ["gke-9f3c2a.us-central1.gke.goog", "kubectl"],
    ["aks-dns-5f3a.hcp.westeurope.azmk8s.io", "kubectl"],
    ["compute.googleapis.com", "gcloud"],
    ["ec2.us-east-1.amazonaws.com", "aws"],
    ["acme.s3.cn-north-1.amazonaws.com.cn", "aws"],
    ["api.github.com", "github"],
    ["x.lambda-url.us-east-1.on.aws", "aws"],
    ["registry.fly.io", "fly"],
    ["ghcr.io", "github"],
    ["acme.ghe.com", "github"],
    ["api.cloudflare.com", "cloudflare"],
    ["api.fly.io", "fly"],
    ["app.fly.dev", "fly"],
    ["0a1b.gr7.eks-cluster.us-west-2.api.aws", "kubectl"],
    ["accounts.google.com", "gcloud"],
    ["eu-west-1.signin.aws.amazon.com", "aws"],
    ["public.ecr.aws", "aws"],
    ["s3.us-iso-east-1.c2s.ic.gov", "aws"],
    ["raw.githubusercontent.com", "github"],
    ["objects.githubusercontent.com", "github"],
    ["ghcr.io", "github"],
    ["api.acme.ghe.com", "github"],
    ["archivist.terraform.io", "terraform"],
    ["app.eu.terraform.io", "terraform"],
    ["releases.hashicorp.com", "terraform"],
    ["artifacthub.io", "helm"],
    ["api.fed.cloudflare.com", "cloudflare"],
    ["dash.cloudflare.com", "cloudflare"],
    ["0a1b.eu.r2.cloudflarestorage.com", "cloudflare"],
    ["registry.fly.io", "fly"],
    ["docs.aws.amazon.com", "generic"],
    ["example.aws", "generic"],
    ["shop.example.workers.dev", "generic"],
    ["notgithub.com", "generic"],
    ["googleapis.com.evil.example", "generic"],
    ["10.0.0.1", "generic"],
  ];
  for (const [host, protocol] of rows) expect([host, guessProtocol(host)]).toEqual([host, protocol]);
});
