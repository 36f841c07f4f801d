// Cases whose label we hold to be wrong, each with the reason. They still count in every
// percentage; the rule "no row below" leaves them out, and a floor is lowered for them by hand.
// Keep it short: a long list here means that the classifier is wrong, not the cases.

/** Case id to why its acceptable tiers are too high or too low. */
export const DISPUTED: ReadonlyMap<string, string> = new Map([
  [
    "aws-16525",
    "the request is endpoint discovery (DescribeEndpoints), sent by the client before CancelQuery",
  ],
  ["cloudflare-00363", "override codes switch a device's protection off: a credential is returned"],
  ["cloudflare-00585", "the list of TSIGs returns their shared secrets"],
  ["cloudflare-01440", "delete_by_ids deletes vectors"],
  [
    "reports-00071",
    "flyctl reads user and password of the cluster from this answer (GetClusterResponse.Credentials)",
  ],
  ["reports-00070", "cloudflare-01259 says that the same request is a write"],
  // The answers' own models say that a credential is in them (data/credential-answers.txt).
  ["aws-02996", "DescribeVpnConnections returns the pre-shared keys, as redteam-00055 says"],
  ["aws-cli-05549", "DescribeVpnConnections returns the pre-shared keys"],
  ["aws-04538", "a channel of IVS comes with its SRT passphrase"],
  ["aws-cli-08795", "a channel of IVS comes with its SRT passphrase"],
  ["aws-04559", "a stream session comes with its channel's SRT passphrase"],
  ["aws-cli-08816", "a stream session comes with its channel's SRT passphrase"],
  ["aws-04631", "GetIceServerConfig returns user name and password of the relay"],
  ["aws-cli-09083", "GetIceServerConfig returns user name and password of the relay"],
  ["aws-05202", "an entitlement comes with its registration token"],
  ["aws-cli-10252", "an entitlement comes with its registration token"],
  ["aws-09058", "a bot of Chime comes with its security token"],
  ["aws-cli-01819", "a bot of Chime comes with its security token"],
  ["aws-09844", "a job's details hold the keys to its artifacts"],
  ["aws-cli-02976", "a job's details hold the keys to its artifacts"],
  ["aws-12474", "an ingest configuration comes with its stream key"],
  ["aws-cli-08848", "an ingest configuration comes with its stream key"],
  ["gcloud-01493", "an app of Apigee comes with its consumer secrets, as redteam-00067 says"],
  ["gcloud-01531", "apps of Apigee come with their consumer secrets"],
  // It shares the image, as reports-00013 and reports-00016 say.
  ["aws-03156", "ModifyFpgaImageAttribute lets others load the image"],
  ["aws-03160", "ModifyImageAttribute gives others a copy"],
  ["aws-variants-00126", "ModifyFpgaImageAttribute lets others load the image"],
  ["aws-variants-00127", "ModifyImageAttribute gives others a copy"],
  ["aws-cli-05707", "ModifyFpgaImageAttribute lets others load the image"],
  ["aws-cli-05711", "ModifyImageAttribute gives others a copy"],
]);
