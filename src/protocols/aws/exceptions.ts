// Operations whose tier follows from what they do and not from their name or published access
// level. A fact each, keyed by IAM prefix and operation name; a fact that a rule in tier.ts can
// express belongs there instead.

import type { Tier } from "../../model/tier.ts";

type Exception = readonly [tier: Tier, why: string];

const INFERENCE: Exception = ["observe", "is model inference"];
const LOGIN: Exception = ["observe", "is the CLI's own login"];
const SECRET: Exception = ["sensitive", "returns a secret"];
const CREDENTIAL: Exception = ["sensitive", "returns a credential"];
const ISSUES: Exception = ["break-glass", "issues a credential"];
const COMMAND: Exception = ["break-glass", "runs commands or opens a session on a host"];
const ACCESS: Exception = ["break-glass", "changes who may do what"];
const DECRYPTS: Exception = ["sensitive", "decrypts or returns key material"];
const DELETES: Exception = ["sensitive", "deletes or closes for good"];
const ACTS: Exception = ["modify", "runs an agent or flow that may act"];

const GROUPS: readonly (readonly [exception: Exception, actions: string])[] = [
  [
    INFERENCE,
    `bedrock:InvokeModel bedrock:InvokeModelWithResponseStream bedrock:InvokeModelWithBidirectionalStream
    bedrock:Converse bedrock:ConverseStream bedrock:CountTokens bedrock:ApplyGuardrail bedrock:InvokeGuardrailChecks
    sagemaker:InvokeEndpoint sagemaker:InvokeEndpointWithResponseStream sagemaker:InvokeEndpointWithBidirectionalStream`,
  ],
  [
    LOGIN,
    `sso:Logout sso-oauth:CreateToken sso-oauth:RegisterClient sso-oauth:StartDeviceAuthorization signin:CreateOAuth2Token`,
  ],
  [
    ["sensitive", "issues a role's credentials; profiles send it by themselves"],
    "sts:AssumeRole sts:AssumeRoleWithSAML sts:AssumeRoleWithWebIdentity sso:GetRoleCredentials",
  ],
  [CREDENTIAL, "sts:GetSessionToken"],
  [ISSUES, "sts:AssumeRoot sts:GetFederationToken sts:GetWebIdentityToken sts:GetDelegatedAccessToken"],
  [
    SECRET,
    `ssm:GetParameter ssm:GetParameters ssm:GetParametersByPath ssm:GetParameterHistory
    secretsmanager:GetSecretValue secretsmanager:BatchGetSecretValue acm:ExportCertificate
    appsync:ListApiKeys wafv2:ListAPIKeys wafv2:GetDecryptedAPIKey cognito-idp:DescribeUserPoolClient
    cognito-idp:ListUserPoolClientSecrets cognito-idp:GetUserAttributeVerificationCode connect:ListSecurityKeys
    storagegateway:DescribeChapCredentials snowball:GetJobUnlockCode
    pca-connector-scep:GetChallengePassword codepipeline:GetThirdPartyJobDetails opsworks-cm:ExportServerEngineAttribute`,
  ],
  [
    CREDENTIAL,
    `athena:GetSession athena:GetSessionEndpoint gamelift:GetInstanceAccess gamelift:GetComputeAccess
    gamelift:GetGameSessionLogUrl gamelift:GetComputeAuthToken gamelift:RequestUploadCredentials
    lightsail:GetBucketAccessKeys lightsail:GetKeyPair lightsail:GetKeyPairs waf:GetChangeToken waf-regional:GetChangeToken
    redshift:GetIdentityCenterAuthToken acm:GetAcmeExternalAccountBindingCredentials s3:CreateSession
    ecr:GetAuthorizationToken ecr-public:GetAuthorizationToken codeartifact:GetAuthorizationToken
    finspace-api:GetExternalDataViewAccessDetails emr-serverless:GetDashboardForJobRun glue:GetDashboardUrl`,
  ],
  [
    ISSUES,
    `codepipeline:PollForJobs codepipeline:PollForThirdPartyJobs lightsail:DownloadDefaultKeyPair
    lightsail:GetRelationalDatabaseMasterUserPassword lightsail:GetInstanceAccessDetails redshift:GetClusterCredentials
    redshift:GetClusterCredentialsWithIAM redshift-serverless:GetCredentials s3:GetDataAccess iot:CreateProvisioningClaim
    acm-pca:IssueCertificate workmail:AssumeImpersonationRole lakeformation:AssumeDecoratedRoleWithSAML
    mediapackage:RotateChannelCredentials mediapackage:RotateIngestEndpointCredentials`,
  ],
  [
    COMMAND,
    `ssm:SendCommand ssm:StartSession ssm:ResumeSession ecs:ExecuteCommand codebuild:StartCommandExecution
    ec2-instance-connect:SendSSHPublicKey ec2-instance-connect:SendSerialConsoleSSHPublicKey ec2-instance-connect:OpenTunnel
    iot:OpenTunnel bedrock-agentcore:InvokeAgentRuntimeCommand sagemaker:StartSession
    gameliftstreams:CreateStreamSessionAdminShell lambda:CreateMicrovmShellAuthToken codecatalyst:StartDevEnvironmentSession
    lightsail:StartGUISession ec2:EnableSerialConsoleAccess`,
  ],
  [
    ["sensitive", "runs a document that may run commands"],
    "ssm:StartAutomationExecution ssm:StartChangeRequestExecution ssm:CreateAssociation ssm:UpdateAssociation",
  ],
  [
    DECRYPTS,
    `kms:Decrypt kms:ReEncrypt kms:GenerateDataKey kms:GenerateDataKeyPair kms:DeriveSharedSecret
    payment-cryptography:DecryptData payment-cryptography:ReEncryptData payment-cryptography:ExportKey
    payment-cryptography:TranslateKeyMaterial`,
  ],
  [
    DELETES,
    "kms:DisableKey neptune-db:ExecuteFastReset organizations:CloseAccount organizations:LeaveOrganization organizations:RemoveAccountFromOrganization",
  ],
  [
    ACCESS,
    `organizations:CreatePolicy organizations:UpdatePolicy organizations:DeletePolicy organizations:EnablePolicyType
    organizations:DisablePolicyType organizations:EnableAWSServiceAccess organizations:DisableAWSServiceAccess
    organizations:RegisterDelegatedAdministrator organizations:DeregisterDelegatedAdministrator
    identitystore:CreateGroupMembership identitystore:DeleteGroupMembership sso:ProvisionPermissionSet
    sso:PutApplicationGrant sso:PutApplicationAuthenticationMethod sso:PutApplicationAccessScope
    sso:CreateTrustedTokenIssuer sso:UpdateTrustedTokenIssuer rolesanywhere:CreateTrustAnchor
    rolesanywhere:UpdateTrustAnchor rolesanywhere:EnableTrustAnchor rolesanywhere:CreateProfile
    rolesanywhere:UpdateProfile rolesanywhere:EnableProfile eks:CreatePodIdentityAssociation
    eks:UpdatePodIdentityAssociation ec2:AssociateIamInstanceProfile ec2:ReplaceIamInstanceProfileAssociation lambda:AddPermission lambda:RemovePermission s3:PutObjectAcl s3:PutBucketAcl
    s3:PutBucketOwnershipControls s3:DeleteBucketOwnershipControls s3:DeletePublicAccessBlock s3:PutPublicAccessBlock`,
  ],
  [["observe", "makes up a password and keeps nothing"], "secretsmanager:GetRandomPassword"],
  [ACTS, "bedrock:InvokeAgent bedrock:InvokeInlineAgent bedrock:InvokeFlow"],
];

let index: ReadonlyMap<string, Exception> | undefined;

/** Tier and reason of `prefix:Operation` when it is an exception. The index is made at the first call. */
export function exceptionOf(action: string): Exception | undefined {
  index ??= new Map(
    GROUPS.flatMap(([exception, actions]) =>
      actions
        .trim()
        .split(/\s+/)
        .map((one) => [one, exception] as const),
    ),
  );
  return index.get(action);
}

/** Every `prefix:Operation` that is an exception. */
export function exceptionActions(): readonly string[] {
  exceptionOf("");
  return [...(index ?? new Map()).keys()];
}
