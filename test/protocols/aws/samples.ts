// Requests of aws for the laws that every classifier keeps (../contract.test.ts).

/** Real-looking requests. */
export const REQUESTS: readonly string[] = [
  "GET https://acme.s3.amazonaws.com/key?acl",
  "DELETE https://acme.s3.amazonaws.com/key",
  "POST https://ec2.us-east-1.amazonaws.com/",
  "GET https://sts.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
];
